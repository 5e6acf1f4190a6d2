// SPDX-License-Identifier: Apache-2.0
//
// The encoder at the size of the article's classifier (32 reviews of 200 words, embedding 128, LSTM 64 in each
// direction, vocabulary 10000), on as many threads as OpenMP offers, in wall-clock time.
#include <benchmark/benchmark.h>

#include "attn_cuda/encoder.hpp"
#include "support/random.h"

namespace {

using namespace attn;

constexpr std::int64_t B = 32, T = 200, E = 128, H = 64, D = 2 * H, A = 128, V = 10000;

std::vector<float> values(std::int64_t count) { return test::Random(1).uniform(count, -0.1f, 0.1f); }

struct Case {
  Handle handle;
  Lstm lstm;
  std::vector<float> x = values(B * T * E), kernel = values(2 * E * 4 * H), recurrent = values(2 * H * 4 * H),
                     bias = values(2 * 4 * H), y = values(B * T * D), d_y = y, d_x = x, d_kernel = kernel,
                     d_recurrent = recurrent, d_bias = bias;
  explicit Case(Training training) : lstm(handle, {B, T, E, H}, training) {}

  void forward(const std::int32_t* lengths = nullptr) {
    lstm.forward({0, x.data(), kernel.data(), recurrent.data(), bias.data(), lengths, y.data(), nullptr});
  }
  void backward(const std::int32_t* lengths = nullptr) {
    lstm.backward({0, x.data(), kernel.data(), recurrent.data(), bias.data(), lengths, y.data(), nullptr, d_y.data(),
                   d_x.data(), d_kernel.data(), d_recurrent.data(), d_bias.data()});
  }
};

void lstm_inference(benchmark::State& state) {
  Case lstm(Training::no);
  for (auto _ : state) lstm.forward();
}
BENCHMARK(lstm_inference)->UseRealTime()->Unit(benchmark::kMillisecond);

void lstm_forward(benchmark::State& state) {
  Case lstm(Training::yes);
  for (auto _ : state) lstm.forward();
}
BENCHMARK(lstm_forward)->UseRealTime()->Unit(benchmark::kMillisecond);

void lstm_forward_backward(benchmark::State& state) {
  Case lstm(Training::yes);
  for (auto _ : state) {
    lstm.forward();
    lstm.backward();
  }
}
BENCHMARK(lstm_forward_backward)->UseRealTime()->Unit(benchmark::kMillisecond);

void lstm_forward_backward_lengths(benchmark::State& state) {
  Case lstm(Training::yes);
  const std::vector<std::int32_t> lengths(B, T / 2);
  for (auto _ : state) {
    lstm.forward(lengths.data());
    lstm.backward(lengths.data());
  }
}
BENCHMARK(lstm_forward_backward_lengths)->UseRealTime()->Unit(benchmark::kMillisecond);

void projected_forward_backward(benchmark::State& state) {
  const Handle handle;
  ProjectedAttention attention(handle, {B, 1, T, A, D, H, true});
  const std::vector<float> x = values(B * T * D), h = values(H), w_q = values(A * H), w_k = values(A * D),
                           v = values(A), d_o = values(B * D);
  std::vector<float> o = d_o, d_x = x, d_h = h, d_w_q = w_q, d_w_k = w_k, d_v = v;
  for (auto _ : state) {
    attention.forward(
        {0, x.data(), h.data(), w_q.data(), w_k.data(), nullptr, v.data(), nullptr, o.data(), nullptr, nullptr});
    attention.backward({0, x.data(), h.data(), w_q.data(), w_k.data(), nullptr, v.data(), nullptr, nullptr, nullptr,
                        d_o.data(), nullptr, d_x.data(), d_h.data(), d_w_q.data(), d_w_k.data(), nullptr, d_v.data()});
  }
}
BENCHMARK(projected_forward_backward)->UseRealTime()->Unit(benchmark::kMillisecond);

void embedding_forward(benchmark::State& state) {
  const Handle handle;
  const std::vector<std::int32_t> ids = test::Random(1).integers(B * T, 0, V - 1);
  const std::vector<float> table = values(V * E);
  std::vector<float> rows(B * T * E);
  for (auto _ : state)
    check(attn_embedding_forward(handle.get(), ATTN_DTYPE_FP32, B * T, V, E, ids.data(), table.data(), rows.data()));
  state.SetBytesProcessed(state.iterations() * 2 * B * T * E * 4);
}
BENCHMARK(embedding_forward)->UseRealTime()->Unit(benchmark::kMicrosecond);

void embedding_backward(benchmark::State& state) {
  const Handle handle;
  const std::vector<std::int32_t> ids = test::Random(1).integers(B * T, 0, V - 1);
  const std::vector<float> d_rows = values(B * T * E);
  std::vector<float> d_table(V * E);
  for (auto _ : state)
    check(attn_embedding_backward(handle.get(), ATTN_DTYPE_FP32, B * T, V, E, ids.data(), d_rows.data(), d_table.data(),
                                  nullptr, 0));
  state.SetBytesProcessed(state.iterations() * (V * E + 3 * B * T * E) * 4);
}
BENCHMARK(embedding_backward)->UseRealTime()->Unit(benchmark::kMicrosecond);

// A step reads four arrays and writes three.
void adam_step(benchmark::State& state) {
  const Handle handle;
  const std::int64_t N = V * E + 2 * (E + H + 1) * 4 * H;
  const std::vector<float> g = values(N);
  std::vector<float> p = g, m(g.size()), s(g.size());
  attn_adam_desc_t desc = {sizeof desc, 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1, nullptr};
  for (auto _ : state) {
    check(attn_adam_step(handle.get(), &desc, N, g.data(), p.data(), m.data(), s.data()));
    ++desc.step;
  }
  state.SetBytesProcessed(state.iterations() * 7 * N * 4);
}
BENCHMARK(adam_step)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();

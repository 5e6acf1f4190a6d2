// SPDX-License-Identifier: Apache-2.0
//
// Both attentions, forward and backward, on as many threads as OpenMP offers. items_per_second counts the tanh of the
// formula (B Q T A, for pooling B T), whether or not a pass computes them twice; bytes_per_second the tensors that a
// pass must read or write once. The time of a call is that of the clock on the wall.
#include <benchmark/benchmark.h>

#include "attn_cuda/attn_cuda.hpp"
#include "support/random.h"

namespace {

using namespace attn;

std::vector<float> values(std::int64_t count) { return test::Random(1).normal(count); }

struct Additive {
  std::int64_t B, Q, T, A, D;
  Handle handle;
  AdditiveAttention attention;
  std::vector<float> q = values(B * Q * A), k = values(B * T * A), v = values(A), x = values(B * T * D),
                     d_o = values(B * Q * D), o = d_o, lse = values(B * Q), weights = values(B * Q * T), d_q = q,
                     d_k = k, d_v = v, d_x = x;

  explicit Additive(const benchmark::State& state)
      : B(state.range(0)),
        Q(state.range(1)),
        T(state.range(2)),
        A(state.range(3)),
        D(state.range(4)),
        attention(handle, {B, Q, T, A, D}) {}

  void forward(float* kept_weights) {
    attention.forward({0, q.data(), k.data(), v.data(), x.data(), nullptr, o.data(), kept_weights, lse.data()});
  }
  void backward(const float* kept_weights) {
    attention.backward({0, q.data(), k.data(), v.data(), x.data(), nullptr, lse.data(), kept_weights, d_o.data(),
                        nullptr, d_q.data(), d_k.data(), d_v.data(), d_x.data()});
  }
  void count(benchmark::State& state, std::int64_t tensors_bytes) const {
    state.SetItemsProcessed(state.iterations() * B * Q * T * A);
    state.SetBytesProcessed(state.iterations() * tensors_bytes);
    state.SetLabel(attn_cpu_target());
  }
  std::int64_t inputs() const { return 4 * (B * Q * A + B * T * A + B * T * D); }
  std::int64_t outputs() const { return 4 * B * Q * D; }
};

void additive_forward(benchmark::State& state) {
  Additive run(state);
  for (auto _ : state) run.forward(nullptr);
  run.count(state, run.inputs() + run.outputs());
}

void additive_backward(benchmark::State& state) {
  Additive run(state);
  run.forward(run.weights.data());
  for (auto _ : state) run.backward(run.weights.data());
  run.count(state, 2 * run.inputs() + run.outputs() + 4 * run.B * run.Q * run.T);
}

void additive_backward_recomputing(benchmark::State& state) {
  Additive run(state);
  run.forward(nullptr);
  for (auto _ : state) run.backward(nullptr);
  run.count(state, 2 * run.inputs() + run.outputs());
}

void additive_shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"B", "Q", "T", "A", "D"})
      ->Args({32, 1, 200, 128, 128})
      ->Args({8, 64, 64, 256, 256})
      ->Args({4, 128, 512, 256, 256})
      ->Args({1, 512, 2048, 256, 256})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK(additive_forward)->Apply(additive_shapes);
BENCHMARK(additive_backward)->Apply(additive_shapes);
BENCHMARK(additive_backward_recomputing)->Apply(additive_shapes);

struct Pooling {
  std::int64_t B, T, D;
  Handle handle;
  AttentionPooling pooling;
  std::vector<float> x = values(B * T * D), w = values(D), b = values(T), d_o = values(B * D), o = d_o, d_x = x,
                     d_w = w, d_b = b;

  explicit Pooling(const benchmark::State& state)
      : B(state.range(0)), T(state.range(1)), D(state.range(2)), pooling(handle, {B, T, D}) {}

  void count(benchmark::State& state, std::int64_t passes_over_x) const {
    state.SetItemsProcessed(state.iterations() * B * T);
    state.SetBytesProcessed(state.iterations() * 4 * (passes_over_x * B * T * D + B * D));
    state.SetLabel(attn_cpu_target());
  }
};

void pooling_forward(benchmark::State& state) {
  Pooling run(state);
  for (auto _ : state)
    run.pooling.forward({0, run.x.data(), run.w.data(), run.b.data(), nullptr, run.o.data(), nullptr});
  run.count(state, 1);
}

void pooling_backward(benchmark::State& state) {
  Pooling run(state);
  for (auto _ : state)
    run.pooling.backward({0, run.x.data(), run.w.data(), run.b.data(), nullptr, run.d_o.data(), nullptr, run.d_x.data(),
                          run.d_w.data(), run.d_b.data()});
  run.count(state, 2);
}

void pooling_shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"B", "T", "D"})->Args({32, 200, 128})->UseRealTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK(pooling_forward)->Apply(pooling_shapes);
BENCHMARK(pooling_backward)->Apply(pooling_shapes);

}  // namespace

BENCHMARK_MAIN();

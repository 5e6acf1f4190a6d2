// SPDX-License-Identifier: Apache-2.0
//
// Concurrent calls on two streams, each with its own handle and workspace: they do not affect each other, and one
// stream can use the results of the other after waiting for them.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"

namespace attn::test {
namespace {

using Values = std::vector<float>;

class Stream {
 public:
  Stream() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~Stream() { EXPECT_EQ(cudaStreamDestroy(stream_), cudaSuccess); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

Handle handle_on(const Stream& stream) {
  Handle handle(ATTN_BACKEND_CUDA);
  handle.set_stream(stream.get());
  return handle;
}

// A forward and a backward pass over random tensors in the memory of one handle.
class Work {
 public:
  Work(const Handle& handle, const AdditiveShape& s, unsigned seed)
      : engine_(seed),
        q_(handle, random(s.B * s.Q * s.A)),
        k_(handle, random(s.B * s.T * s.A)),
        v_(handle, random(s.A)),
        x_(handle, random(s.B * s.T * s.D)),
        d_o_(handle, random(s.B * s.Q * s.D)),
        o_(handle, d_o_.size()),
        weights_(handle, static_cast<std::size_t>(s.B * s.Q * s.T)),
        lse_(handle, static_cast<std::size_t>(s.B * s.Q)),
        d_q_(handle, q_.size()),
        d_k_(handle, k_.size()),
        d_v_(handle, v_.size()),
        d_x_(handle, x_.size()) {}

  void forward(AdditiveAttention& attention) const {
    attention.forward(
        {0, q_.data(), k_.data(), v_.data(), x_.data(), nullptr, nullptr, o_.data(), weights_.data(), lse_.data()});
  }
  void backward(AdditiveAttention& attention) const {
    attention.backward({0, q_.data(), k_.data(), v_.data(), x_.data(), nullptr, nullptr, lse_.data(), weights_.data(),
                        d_o_.data(), nullptr, d_q_.data(), d_k_.data(), d_v_.data(), d_x_.data()});
  }
  std::vector<Values> results() const {
    return {o_.download(), lse_.download(), d_q_.download(), d_k_.download(), d_v_.download(), d_x_.download()};
  }

 private:
  Values random(std::int64_t count) {
    std::normal_distribution<float> normal;
    Values values(static_cast<std::size_t>(count));
    for (float& value : values) value = normal(engine_);
    return values;
  }

  std::mt19937 engine_;
  Buffer<float> q_, k_, v_, x_, d_o_, o_, weights_, lse_, d_q_, d_k_, d_v_, d_x_;
};

// One query and several queries, both split.
constexpr AdditiveShape kFirst{2, 1, 700, 33, 40}, kSecond{2, 20, 300, 16, 24};

std::vector<Values> alone(const AdditiveShape& shape, unsigned seed) {
  const Stream stream;
  const Handle handle = handle_on(stream);
  AdditiveAttention attention(handle, shape);
  const Work work(handle, shape, seed);
  work.forward(attention);
  work.backward(attention);
  return work.results();
}

void expect_same_bits(const std::vector<Values>& got, const std::vector<Values>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].size(), expected[i].size());
    EXPECT_EQ(std::memcmp(got[i].data(), expected[i].data(), got[i].size() * sizeof(float)), 0) << "result " << i;
  }
}

TEST(Streams, TwoAtATime) {
  const std::vector<Values> first_alone = alone(kFirst, 1), second_alone = alone(kSecond, 2);
  const Stream streams[2];
  const Handle handles[2] = {handle_on(streams[0]), handle_on(streams[1])};
  AdditiveAttention first_attention(handles[0], kFirst), second_attention(handles[1], kSecond);
  const Work first(handles[0], kFirst, 1), second(handles[1], kSecond, 2);
  first.forward(first_attention);
  second.forward(second_attention);
  second.backward(second_attention);
  first.backward(first_attention);
  expect_same_bits(first.results(), first_alone);
  expect_same_bits(second.results(), second_alone);
}

TEST(Streams, OneGoesOnWithWhatTheOtherLeft) {
  const std::vector<Values> expected = alone(kSecond, 3);
  const Stream streams[2];
  const Handle handles[2] = {handle_on(streams[0]), handle_on(streams[1])};
  AdditiveAttention forward(handles[0], kSecond), backward(handles[1], kSecond);
  const Work work(handles[0], kSecond, 3);
  work.forward(forward);
  cudaEvent_t done = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(done, streams[0].get()), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(streams[1].get(), done, 0), cudaSuccess);
  work.backward(backward);
  handles[1].synchronize();
  expect_same_bits(work.results(), expected);
  EXPECT_EQ(cudaEventDestroy(done), cudaSuccess);
}

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// Compute calls do not allocate host memory: our libraries never do, and in the attention calls on the CPU nothing
// does. Allocations inside the vendor libraries are not counted against us. The first calls are excluded, because
// OpenMP starts its threads and the backends create their vendor handles then.
#include "support/allocations.h"

#include <gtest/gtest.h>

#include <attn_cuda/encoder.hpp>
#include <attn_cuda/recurrent.hpp>
#include <deque>
#include <vector>

#include "support/backends.h"

namespace attn::test {
namespace {

TEST(Allocations, AreCountedWhereTheyAreMade) {
  EXPECT_GE(count_allocations([] { const std::vector<char> made(99, 'a'); }).all, 1);
  const Allocations of_a_handle = count_allocations([] { const Handle made(ATTN_BACKEND_CPU); });
  EXPECT_GE(of_a_handle.ours, 1);
  EXPECT_NE(of_a_handle.first, "");
}

class NoAllocation : public testing::TestWithParam<Target> {
 protected:
  static constexpr std::int64_t B = 3, Q = 2, T = 9, A = 5, D = 6, H = 4;

  NoAllocation() {
    if (GetParam().backend == ATTN_BACKEND_CPU) check(attn_set_threads(handle.get(), 2));
  }

  // A tensor of zeros, large enough for any tensor of the calls below.
  float* tensor() { return tensors_.emplace_back(handle, std::vector<float>(1024)).data(); }

  // The allocations of both passes in their third run.
  template <class Layer, class Forward, class Backward>
  Allocations of(Layer& layer, const Forward& forward, const Backward& backward) {
    const auto both = [&] {
      layer.forward(forward);
      layer.backward(backward);
    };
    both();
    both();
    return count_allocations(both);
  }

  bool on_cpu() const { return GetParam().backend == ATTN_BACKEND_CPU; }
  attn_dtype_t dtype() const { return GetParam().dtype; }

  Handle handle{GetParam().backend};

 private:
  std::deque<Buffer<float>> tensors_;
};

TEST_P(NoAllocation, Additive) {
  AdditiveAttention layer(handle, {B, Q, T, A, D}, dtype());
  attn_additive_forward_args_t forward{};
  attn_additive_backward_args_t backward{};
  backward.q = forward.q = tensor();
  backward.k = forward.k = tensor();
  backward.v = forward.v = tensor();
  backward.x = forward.x = tensor();
  forward.o = tensor();
  backward.lse = forward.lse = tensor();
  backward.d_o = tensor();
  backward.d_q = tensor(), backward.d_k = tensor(), backward.d_v = tensor(), backward.d_x = tensor();
  const Allocations made = of(layer, forward, backward);
  EXPECT_EQ(made.ours, 0) << made.first;
  if (on_cpu()) {
    EXPECT_EQ(made.all, 0);
  }
}

TEST_P(NoAllocation, Pooling) {
  AttentionPooling layer(handle, {B, T, D}, dtype());
  attn_pooling_forward_args_t forward{};
  attn_pooling_backward_args_t backward{};
  backward.x = forward.x = tensor();
  backward.w = forward.w = tensor();
  backward.b = forward.b = tensor();
  forward.o = tensor();
  backward.d_o = tensor();
  backward.d_x = tensor(), backward.d_w = tensor(), backward.d_b = tensor();
  const Allocations made = of(layer, forward, backward);
  EXPECT_EQ(made.ours, 0) << made.first;
  if (on_cpu()) {
    EXPECT_EQ(made.all, 0);
  }
}

#ifdef ATTN_WITH_CUDNN
constexpr bool kEncoderOnCuda = true;
#else
constexpr bool kEncoderOnCuda = false;
#endif

class NoAllocationInEncoder : public NoAllocation {
 protected:
  void SetUp() override {
    if (!on_cpu() && !kEncoderOnCuda) GTEST_SKIP() << "this build has no cuDNN and cuBLAS";
  }
};

TEST_P(NoAllocationInEncoder, Projected) {
  ProjectedAttention layer(handle, {B, Q, T, A, D, H, true}, dtype());
  attn_projected_forward_args_t forward{};
  attn_projected_backward_args_t backward{};
  backward.x = forward.x = tensor();
  backward.h = forward.h = tensor();
  backward.w_q = forward.w_q = tensor();
  backward.w_k = forward.w_k = tensor();
  backward.b = forward.b = tensor();
  backward.v = forward.v = tensor();
  forward.o = tensor();
  backward.d_o = tensor();
  backward.d_x = tensor(), backward.d_h = tensor(), backward.d_w_q = tensor(), backward.d_w_k = tensor();
  backward.d_b = tensor(), backward.d_v = tensor();
  const Allocations made = of(layer, forward, backward);
  EXPECT_EQ(made.ours, 0) << made.first;
}

TEST_P(NoAllocationInEncoder, Lstm) {
  Lstm layer(handle, {B, T, D, H, 2}, Training::yes, dtype());
  const std::vector<std::int32_t> lengths = {9, 0, 4};
  attn_lstm_forward_args_t forward{};
  attn_lstm_backward_args_t backward{};
  backward.x = forward.x = tensor();
  backward.kernel = forward.kernel = tensor();
  backward.recurrent = forward.recurrent = tensor();
  backward.bias = forward.bias = tensor();
  backward.lengths = forward.lengths = lengths.data();
  backward.y = forward.y = tensor();
  backward.d_y = tensor();
  backward.d_x = tensor(), backward.d_kernel = tensor(), backward.d_recurrent = tensor(), backward.d_bias = tensor();
  const Allocations made = of(layer, forward, backward);
  EXPECT_EQ(made.ours, 0) << made.first;
}

TEST_P(NoAllocationInEncoder, Recurrent) {
  for (const attn_attention_t attention : {ATTN_ATTENTION_POOLING, ATTN_ATTENTION_ADDITIVE}) {
    attn_recurrent_desc_t desc{};
    desc.dtype = dtype();
    desc.B = B, desc.T = T, desc.E = D, desc.H = H;
    desc.layers = 2, desc.directions = 2, desc.dropout = 0.5f, desc.training = 1;
    desc.attention = attention;
    desc.positions = T, desc.Q = Q, desc.A = A, desc.P = 3;
    RecurrentEncoder layer(handle, desc);
    const std::vector<std::int32_t> lengths = {9, 0, 4};
    attn_recurrent_forward_args_t forward{};
    attn_recurrent_backward_args_t backward{};
    backward.x = forward.x = tensor();
    backward.parameters = forward.parameters = tensor();
    backward.lengths = forward.lengths = lengths.data();
    forward.o = tensor();
    backward.d_o = tensor();
    backward.d_x = tensor(), backward.d_parameters = tensor();
    const Allocations made = of(layer, forward, backward);
    EXPECT_EQ(made.ours, 0) << made.first;
  }
}

INSTANTIATE_TEST_SUITE_P(All, NoAllocation, testing::ValuesIn(targets({ATTN_DTYPE_FP32, ATTN_DTYPE_BF16})),
                         target_name);
INSTANTIATE_TEST_SUITE_P(All, NoAllocationInEncoder, testing::ValuesIn(targets({ATTN_DTYPE_FP32, ATTN_DTYPE_BF16})),
                         target_name);

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// A bidirectional LSTM with inputs and an output gradient, and what the library makes of it.
#pragma once

#include "attn_cuda/encoder.hpp"
#include "support/attention_run.h"
#include "support/inputs.h"

namespace attn::test {

struct BilstmCase {
  reference::BilstmInput input;
  std::vector<float> d_y;  // [B, T, 2H], NaN behind the lengths

  BilstmCase(const BilstmShape& s, bool with_lengths, std::uint64_t seed = 1) {
    Random random(seed);
    const std::vector<std::int32_t> lengths = with_lengths ? random.lengths(s.B, s.T) : std::vector<std::int32_t>();
    input = random_input(s, lengths, random);
    d_y = random.normal(s.B * s.T * 2 * s.H);
    fill_padding(d_y, s.T, 2 * s.H, lengths);
  }
};

struct BilstmResult {
  std::vector<float> y, d_x, d_kernel, d_recurrent, d_bias;
};

inline bool same_bits(const BilstmResult& a, const BilstmResult& b) {
  return same_bits(a.y, b.y) && same_bits(a.d_x, b.d_x) && same_bits(a.d_kernel, b.d_kernel) &&
         same_bits(a.d_recurrent, b.d_recurrent) && same_bits(a.d_bias, b.d_bias);
}

// A plan, for any number of runs. Every byte outside the documented sizes is guarded, every byte inside starts as NaN.
class BilstmRun {
 public:
  BilstmRun(const Handle& handle, const BilstmShape& shape, Training training)
      : handle_(&handle), training_(training == Training::yes) {
    const attn_bilstm_desc_t desc = {sizeof desc, ATTN_DTYPE_FP32, shape.B, shape.T, shape.E, shape.H, training_};
    check(attn_bilstm_create(handle.get(), &desc, &plan_));
  }
  ~BilstmRun() { attn_bilstm_destroy(plan_); }
  BilstmRun(const BilstmRun&) = delete;
  BilstmRun& operator=(const BilstmRun&) = delete;

  // Forward, and backward in a plan with training.
  BilstmResult operator()(const BilstmCase& given, const RunOptions& options = {}) {
    const reference::BilstmInput& in = given.input;
    Tensors tensors(*handle_, options);
    const float *x = tensors.in(narrow(in.x)), *kernel = tensors.in(narrow(in.kernel)),
                *recurrent = tensors.in(narrow(in.recurrent)), *bias = tensors.in(narrow(in.bias));
    float* const y = tensors.out(in.B * in.T * 2 * in.H);
    const std::int32_t* const lengths = in.lengths.empty() ? nullptr : in.lengths.data();
    std::size_t bytes = 0;
    check(attn_bilstm_reserve_size(plan_, &bytes));
    void* const reserve = training_ ? tensors.workspace(bytes) : nullptr;

    const attn_bilstm_forward_args_t args = {sizeof args, x, kernel, recurrent, bias, lengths, y, reserve};
    check(attn_bilstm_workspace_size(plan_, ATTN_PASS_FORWARD, &bytes));
    check(attn_bilstm_forward(plan_, &args, tensors.workspace(bytes), bytes));
    BilstmResult result;
    if (training_) {
      const attn_bilstm_backward_args_t back = {sizeof back,
                                                x,
                                                kernel,
                                                recurrent,
                                                bias,
                                                lengths,
                                                y,
                                                reserve,
                                                tensors.in(given.d_y),
                                                tensors.out(in.B * in.T * in.E),
                                                tensors.out(2 * in.E * 4 * in.H),
                                                tensors.out(2 * in.H * 4 * in.H),
                                                tensors.out(2 * 4 * in.H)};
      check(attn_bilstm_workspace_size(plan_, ATTN_PASS_BACKWARD, &bytes));
      check(attn_bilstm_backward(plan_, &back, tensors.workspace(bytes), bytes));
      const auto values = [&](const void* tensor) { return tensors.values(static_cast<const float*>(tensor)); };
      result = {{}, values(back.d_x), values(back.d_kernel), values(back.d_recurrent), values(back.d_bias)};
    }
    result.y = tensors.values(y);
    tensors.expect_intact();
    return result;
  }

 private:
  const Handle* handle_;
  bool training_;
  attn_bilstm_t plan_ = nullptr;
};

inline BilstmResult run(const BilstmCase& given, const RunOptions& options, Training training = Training::yes) {
  Handle handle;
  handle.set_threads(options.threads);
  const reference::BilstmInput& in = given.input;
  return BilstmRun(handle, {in.B, in.T, in.E, in.H}, training)(given, options);
}

}  // namespace attn::test

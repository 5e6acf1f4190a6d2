// SPDX-License-Identifier: Apache-2.0
//
// An LSTM with inputs and an output gradient, and the results of the library.
#pragma once

#include "attn_cuda/encoder.hpp"
#include "encoder/encoder_runs.h"
#include "support/attention_run.h"
#include "support/inputs.h"

namespace attn::test {

struct LstmCase {
  reference::LstmInput input;
  std::vector<float> d_y;  // [B, T, nH], NaN at or beyond the lengths

  LstmCase(const LstmShape& s, bool with_lengths, std::uint64_t seed = 1) {
    Random random(seed);
    const std::vector<std::int32_t> lengths = with_lengths ? random.lengths(s.B, s.T) : std::vector<std::int32_t>();
    input = random_input(s, lengths, random);
    d_y = random.normal(s.B * s.T * s.directions * s.H);
    fill_padding(d_y, s.T, s.directions * s.H, lengths);
  }
};

// The case with the values that a run computes with: activations rounded to their type, and parameters too if the
// backend rounds them.
inline LstmCase stored(LstmCase given, const Target& target) {
  given.input.x = rounded(target.dtype, given.input.x);
  given.d_y = narrow(rounded(target.dtype, widen(given.d_y)));
  for (auto parameter : {&reference::LstmInput::kernel, &reference::LstmInput::recurrent, &reference::LstmInput::bias})
    given.input.*parameter = rounded(inside(target), given.input.*parameter);
  return given;
}

struct LstmResult {
  std::vector<float> y, d_x, d_kernel, d_recurrent, d_bias;
};

inline bool same_bits(const LstmResult& a, const LstmResult& b) {
  return same_bits(a.y, b.y) && same_bits(a.d_x, b.d_x) && same_bits(a.d_kernel, b.d_kernel) &&
         same_bits(a.d_recurrent, b.d_recurrent) && same_bits(a.d_bias, b.d_bias);
}

// A plan that any number of runs can use. Every byte outside the documented sizes is guarded; every byte inside starts
// as NaN.
class LstmRun {
 public:
  LstmRun(const Handle& handle, const LstmShape& shape, Training training, attn_dtype_t dtype = ATTN_DTYPE_FP32)
      : handle_(&handle), dtype_(dtype), training_(training == Training::yes) {
    const attn_lstm_desc_t desc = {sizeof desc, dtype, shape.B, shape.T, shape.E, shape.H, shape.directions, training_};
    check(attn_lstm_create(handle.get(), &desc, &plan_));
  }
  ~LstmRun() { attn_lstm_destroy(plan_); }
  LstmRun(const LstmRun&) = delete;
  LstmRun& operator=(const LstmRun&) = delete;

  // Runs the forward pass, and the backward pass if the plan is for training.
  LstmResult operator()(const LstmCase& given, const RunOptions& options = {}) {
    const reference::LstmInput& in = given.input;
    Tensors tensors(*handle_, options);
    const void* const x = tensors.in(narrow(in.x), dtype_);
    const float *kernel = tensors.in(narrow(in.kernel)), *recurrent = tensors.in(narrow(in.recurrent)),
                *bias = tensors.in(narrow(in.bias));
    void* const y = tensors.out(in.B * in.T * in.directions * in.H, dtype_);
    const std::int32_t* const lengths = in.lengths.empty() ? nullptr : in.lengths.data();
    std::size_t bytes = 0;
    check(attn_lstm_reserve_size(plan_, &bytes));
    void* const reserve = training_ ? tensors.workspace(bytes) : nullptr;

    const attn_lstm_forward_args_t args = {sizeof args, x, kernel, recurrent, bias, lengths, y, reserve};
    check(attn_lstm_workspace_size(plan_, ATTN_PASS_FORWARD, &bytes));
    check(attn_lstm_forward(plan_, &args, tensors.workspace(bytes), bytes));
    LstmResult result;
    if (training_) {
      const attn_lstm_backward_args_t back = {sizeof back,
                                              x,
                                              kernel,
                                              recurrent,
                                              bias,
                                              lengths,
                                              y,
                                              reserve,
                                              tensors.in(given.d_y, dtype_),
                                              tensors.out(in.B * in.T * in.E, dtype_),
                                              tensors.out(in.directions * in.E * 4 * in.H),
                                              tensors.out(in.directions * in.H * 4 * in.H),
                                              tensors.out(in.directions * 4 * in.H)};
      check(attn_lstm_workspace_size(plan_, ATTN_PASS_BACKWARD, &bytes));
      check(attn_lstm_backward(plan_, &back, tensors.workspace(bytes), bytes));
      result = {{},
                tensors.values(back.d_x),
                tensors.values(back.d_kernel),
                tensors.values(back.d_recurrent),
                tensors.values(back.d_bias)};
    }
    result.y = tensors.values(y);
    tensors.expect_intact();
    return result;
  }

 private:
  const Handle* handle_;
  attn_dtype_t dtype_;
  bool training_;
  attn_lstm_t plan_ = nullptr;
};

inline LstmResult run(const LstmCase& given, const RunOptions& options, Training training = Training::yes) {
  const Handle handle = make_handle(options);
  const reference::LstmInput& in = given.input;
  const LstmShape shape = {in.B, in.T, in.E, in.H, static_cast<std::int32_t>(in.directions)};
  return LstmRun(handle, shape, training, options.dtype)(given, options);
}

}  // namespace attn::test

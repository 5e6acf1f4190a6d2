// SPDX-License-Identifier: Apache-2.0
//
// Projected additive attention with inputs and output gradients, and the results of the library.
#pragma once

#include "attn_cuda/encoder.hpp"
#include "encoder/encoder_runs.h"
#include "support/inputs.h"

namespace attn::test {

// Gradients have the magnitude that loss scaling gives them. Below 2^-14 fp16 numbers are subnormal, and their rounding
// error is no longer proportional to their magnitude.
struct ProjectedCase {
  reference::ProjectedInput input;
  std::vector<float> d_o;        // [B, Q, D]
  std::vector<float> d_weights;  // [B, Q, T]

  ProjectedCase(const ProjectedShape& s, bool with_lengths) {
    Random random(1);
    input = random_input(s, with_lengths ? random.lengths(s.B, s.T) : std::vector<std::int32_t>(), random);
    d_o = random.normal(s.B * s.Q * s.D, kLossScale);
    d_weights = random.normal(s.B * s.Q * s.T, kLossScale);
  }

 private:
  static constexpr float kLossScale = 64;
};

// The case with the values that a run computes with: activations rounded to their type, and, if the backend rounds
// parameters, those too, except for a shared query and its projection.
inline ProjectedCase stored(ProjectedCase given, const Target& target) {
  reference::ProjectedInput& in = given.input;
  in.x = rounded(target.dtype, in.x);
  for (auto parameter : {&reference::ProjectedInput::w_k, &reference::ProjectedInput::b, &reference::ProjectedInput::v})
    in.*parameter = rounded(inside(target), in.*parameter);
  if (!in.shared_query) {
    in.h = rounded(target.dtype, in.h);
    in.w_q = rounded(inside(target), in.w_q);
  }
  given.d_o = narrow(rounded(target.dtype, widen(given.d_o)));
  given.d_weights = narrow(rounded(target.dtype, widen(given.d_weights)));
  return given;
}

struct ProjectedResult {
  std::vector<float> o, weights, d_x, d_h, d_w_q, d_w_k, d_b, d_v;

  const std::vector<float>& gradient(int index) const {
    const std::vector<float>* const all[] = {&d_x, &d_h, &d_w_q, &d_w_k, &d_b, &d_v};
    return *all[index];
  }
};

// The type of h, which is a parameter if all items share it.
inline attn_dtype_t query_dtype(const reference::ProjectedInput& in, attn_dtype_t dtype) {
  return in.shared_query ? ATTN_DTYPE_FP32 : dtype;
}

inline ProjectedResult run(const ProjectedCase& given, const RunOptions& options, std::int32_t tf32 = 0) {
  const reference::ProjectedInput& in = given.input;
  const attn_dtype_t dtype = options.dtype, of_h = query_dtype(in, dtype);
  const Handle handle = make_handle(options);
  if (tf32 != 0) check(attn_set_tf32(handle.get(), tf32));
  const attn_projected_desc_t desc = {sizeof desc, dtype, in.B, in.Q, in.T, in.A, in.D, in.H, in.shared_query};
  Tensors tensors(handle, options);
  const auto workspace = [&](attn_pass_t pass, std::size_t* bytes) {
    check(attn_projected_workspace_size(handle.get(), &desc, pass, bytes));
    return tensors.workspace(*bytes);
  };
  const void *x = tensors.in(narrow(in.x), dtype), *h = tensors.in(narrow(in.h), of_h);
  const float *w_q = tensors.in(narrow(in.w_q)), *w_k = tensors.in(narrow(in.w_k)),
              *b = in.b.empty() ? nullptr : tensors.in(narrow(in.b)), *v = tensors.in(narrow(in.v));
  const std::int32_t* const lengths = tensors.lengths(in.lengths);
  void* const weights = options.weights ? tensors.out(in.B * in.Q * in.T, dtype) : nullptr;
  std::size_t bytes = 0;
  check(attn_projected_reserve_size(handle.get(), &desc, &bytes));
  void* const reserve = tensors.workspace(bytes);

  const attn_projected_forward_args_t args = {
      sizeof args, x, h, w_q, w_k, b, v, lengths, tensors.out(in.B * in.Q * in.D, dtype), weights, reserve};
  void* memory = workspace(ATTN_PASS_FORWARD, &bytes);
  check(attn_projected_forward(handle.get(), &desc, &args, memory, bytes));

  const auto wanted = [&](int index, std::size_t size, attn_dtype_t type) {
    return index == options.skipped ? nullptr : tensors.out(static_cast<std::int64_t>(size), type);
  };
  const auto wanted_parameter = [&](int index, std::size_t size) {
    return static_cast<float*>(wanted(index, size, ATTN_DTYPE_FP32));
  };
  const attn_projected_backward_args_t back = {sizeof back,
                                               x,
                                               h,
                                               w_q,
                                               w_k,
                                               b,
                                               v,
                                               lengths,
                                               reserve,
                                               weights,
                                               tensors.in(given.d_o, dtype),
                                               options.d_weights ? tensors.in(given.d_weights, dtype) : nullptr,
                                               wanted(0, in.x.size(), dtype),
                                               wanted(1, in.h.size(), of_h),
                                               wanted_parameter(2, in.w_q.size()),
                                               wanted_parameter(3, in.w_k.size()),
                                               wanted_parameter(4, static_cast<std::size_t>(in.A)),
                                               wanted_parameter(5, in.v.size())};
  memory = workspace(ATTN_PASS_BACKWARD, &bytes);
  check(attn_projected_backward(handle.get(), &desc, &back, memory, bytes));
  tensors.expect_intact();
  return {tensors.values(args.o),     tensors.values(weights),    tensors.values(back.d_x), tensors.values(back.d_h),
          tensors.values(back.d_w_q), tensors.values(back.d_w_k), tensors.values(back.d_b), tensors.values(back.d_v)};
}

inline void expect_same_bits(const ProjectedResult& a, const ProjectedResult& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  for (int index = 0; index < 6; ++index) EXPECT_TRUE(same_bits(a.gradient(index), b.gradient(index))) << index;
}

}  // namespace attn::test

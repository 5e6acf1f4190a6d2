// SPDX-License-Identifier: Apache-2.0
//
// Code shared by the tests of attention pooling: cases, a function that runs one on a backend, and the comparison with
// the reference.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reference/formulas/pooling.h"
#include "support/attention_run.h"
#include "support/backends.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test::pooling {

using Lengths = std::vector<std::int32_t>;

struct Case {
  reference::PoolingInput input;
  std::vector<float> d_o;        // [B, D]
  std::vector<float> d_weights;  // [B, T], NaN at or beyond the lengths

  Case(const PoolingShape& s, const Lengths& lengths) {
    Random random(1);
    input = random_input(s, lengths, random);
    d_o = random.normal(s.B * s.D);
    d_weights = random.normal(s.B * s.T);
    fill_padding(d_weights, s.T, 1, lengths);
  }
};

// The case with its values rounded to the storage type, so that a backend and the reference get the same numbers.
inline Case stored(Case given, attn_dtype_t dtype) {
  for (auto tensor : {&reference::PoolingInput::x, &reference::PoolingInput::w, &reference::PoolingInput::b})
    given.input.*tensor = rounded(dtype, given.input.*tensor);
  given.d_o = narrow(rounded(dtype, widen(given.d_o)));
  given.d_weights = narrow(rounded(dtype, widen(given.d_weights)));
  return given;
}

// The same case with packed instead of padded positions; `given` must have lengths.
inline Case packed(Case given) {
  reference::PoolingInput& in = given.input;
  in.x = valid_rows(in.x, in.T, in.D, in.lengths);
  in.cu_seqlens = cumulative(in.lengths);
  in.lengths.clear();
  return given;
}

struct Result {
  std::vector<float> o, weights, d_x, d_w, d_b;

  const std::vector<float>& gradient(int index) const { return index == 0 ? d_x : index == 1 ? d_w : d_b; }
};

inline Result run(const Case& given, const RunOptions& options) {
  const reference::PoolingInput& in = given.input;
  const attn_dtype_t dtype = options.dtype;
  const Handle handle = make_handle(options);
  attn_pooling_desc_t desc{sizeof desc, dtype, in.B, in.T, in.D};
  const auto workspace_bytes = [&](attn_pass_t pass) {
    std::size_t bytes = 0;
    check(attn_pooling_workspace_size(handle.get(), &desc, pass, &bytes));
    return bytes;
  };
  const auto bias = [&](Tensors& tensors) { return in.b.empty() ? nullptr : tensors.in(narrow(in.b), dtype); };
  Result result;

  Tensors forward(handle, options);
  attn_pooling_forward_args_t args{sizeof args,
                                   forward.in(narrow(in.x), dtype),
                                   forward.in(narrow(in.w), dtype),
                                   bias(forward),
                                   forward.lengths(in.lengths),
                                   forward.lengths(in.cu_seqlens),
                                   forward.out(in.B * in.D, dtype),
                                   options.weights ? forward.out(in.B * in.T, dtype) : nullptr};
  std::size_t bytes = workspace_bytes(ATTN_PASS_FORWARD);
  check(attn_pooling_forward(handle.get(), &desc, &args, forward.workspace(bytes), bytes));
  forward.expect_intact();
  result.o = forward.values(args.o);
  result.weights = forward.values(args.weights);

  Tensors backward(handle, options);
  const auto wanted = [&](int index, std::int64_t size) {
    return index == options.skipped ? nullptr : backward.out(size, dtype);
  };
  attn_pooling_backward_args_t back{sizeof back,
                                    backward.in(narrow(in.x), dtype),
                                    backward.in(narrow(in.w), dtype),
                                    bias(backward),
                                    backward.lengths(in.lengths),
                                    backward.lengths(in.cu_seqlens),
                                    backward.in(given.d_o, dtype),
                                    options.d_weights ? backward.in(given.d_weights, dtype) : nullptr,
                                    wanted(0, static_cast<std::int64_t>(in.x.size())),
                                    wanted(1, in.D),
                                    wanted(2, in.T)};
  bytes = workspace_bytes(ATTN_PASS_BACKWARD);
  check(attn_pooling_backward(handle.get(), &desc, &back, backward.workspace(bytes), bytes));
  backward.expect_intact();
  result.d_x = backward.values(back.d_x);
  result.d_w = backward.values(back.d_w);
  result.d_b = backward.values(back.d_b);
  return result;
}

inline void expect_parity(const Case& any, const RunOptions& options) {
  const attn_dtype_t dtype = options.dtype;
  const Case given = stored(any, dtype);
  const reference::PoolingInput& in = given.input;
  const Result got = run(given, options);
  const auto expected = reference::pooling_forward(in);
  EXPECT_TRUE(close(Operation::pooling_forward, got.o, expected.o, {in.B, in.D}, dtype)) << "o";
  if (options.weights) {
    EXPECT_TRUE(close(Operation::pooling_forward, got.weights, expected.weights, {in.B, in.T}, dtype)) << "weights";
  }
  const auto gradient = reference::pooling_backward(in, widen(given.d_o),
                                                    options.d_weights ? widen(given.d_weights) : std::vector<double>());
  const std::vector<std::int64_t> shape = in.cu_seqlens.empty() ? std::vector<std::int64_t>{in.B, in.T, in.D}
                                                                : std::vector<std::int64_t>{in.cu_seqlens.back(), in.D};
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_x, gradient.x, shape, dtype)) << "d_x";
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_w, gradient.w, {in.D}, dtype)) << "d_w";
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_b, gradient.b, {in.T}, dtype)) << "d_b";
}

inline void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  for (int index = 0; index < 3; ++index)
    EXPECT_TRUE(same_bits(a.gradient(index), b.gradient(index))) << "gradient " << index;
}

// Several splits of positions, of which the last one is incomplete.
constexpr PoolingShape kManySplits{3, 700, 21};

// Neither padding nor memory beyond a tensor is accessed, not even by a load whose value is then discarded.
inline void expect_fences_hold(RunOptions options) {
  options.fenced = true;
  for (std::int64_t D : {1, 19, 32, 65}) {
    expect_parity(Case({1, 70, D}, {37}), options);
    expect_parity(Case({1, 66, D}, {}), options);
  }
}

class Pooling : public ::testing::TestWithParam<std::tuple<Target, PoolingShape>> {
 protected:
  Pooling() : options(on(std::get<0>(GetParam()))) {}

  const PoolingShape shape = std::get<1>(GetParam());
  const Lengths lengths = Random(2).lengths(shape.B, shape.T);
  RunOptions options;
};

class PoolingOn : public ::testing::TestWithParam<Target> {
 protected:
  PoolingOn() : options(on(GetParam())) {}

  RunOptions options;
};

inline std::vector<PoolingShape> shapes() {
  std::vector<PoolingShape> all = pooling_shapes();
  all.push_back(kManySplits);
  return all;
}

// Parameters for every backend: all shapes in fp32, and the smaller selection in 16 bits.
inline auto every_shape() {
  return ::testing::Combine(::testing::ValuesIn(targets(kFullStorage)), ::testing::ValuesIn(shapes()));
}
inline auto narrow_shapes(const std::vector<attn_dtype_t>& dtypes) {
  return ::testing::Combine(::testing::ValuesIn(targets(dtypes)), ::testing::ValuesIn(narrow_pooling_shapes()));
}

}  // namespace attn::test::pooling

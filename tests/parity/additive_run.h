// SPDX-License-Identifier: Apache-2.0
//
// Code shared by the tests of additive attention: cases, a function that runs one on a backend, and the comparison with
// the reference.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reference/formulas/additive.h"
#include "support/attention_run.h"
#include "support/backends.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test::additive {

using Lengths = std::vector<std::int32_t>;

struct Case {
  reference::AdditiveInput input;
  std::vector<float> d_o;        // [B, Q, D]
  std::vector<float> d_weights;  // [B, Q, T], NaN at or beyond the lengths

  Case(const AdditiveShape& s, const Lengths& lengths, std::uint64_t seed = 1) {
    Random random(seed);
    input = random_input(s, lengths, random);
    d_o = random.normal(s.B * s.Q * s.D);
    d_weights = random.normal(s.B * s.Q * s.T);
    poison_rows(d_weights);
  }

  // Fills the padding of a tensor [B, Q, T] with NaN.
  void poison_rows(std::vector<float>& tensor) const {
    for (std::int64_t row = 0; row < input.B * input.Q; ++row) {
      const auto first = tensor.begin() + row * input.T;
      std::fill(first + std::min(key_count(input, row / input.Q), input.T), first + input.T, kNan);
    }
  }
};

// The same case with packed instead of padded keys; `given` must have lengths.
inline Case packed(Case given) {
  reference::AdditiveInput& in = given.input;
  in.k = valid_rows(in.k, in.T, in.A, in.lengths);
  in.x = valid_rows(in.x, in.T, in.D, in.lengths);
  in.cu_seqlens = cumulative(in.lengths);
  in.lengths.clear();
  return given;
}

// The shape of a tensor with one row per key.
inline std::vector<std::int64_t> key_shape(const reference::AdditiveInput& in, std::int64_t width) {
  if (in.cu_seqlens.empty()) return {in.B, in.T, width};
  return {in.cu_seqlens.back(), width};
}

// The case with its values rounded to the storage type, so that a backend and the reference get the same numbers.
inline Case stored(Case given, attn_dtype_t dtype) {
  for (auto tensor : {&reference::AdditiveInput::q, &reference::AdditiveInput::k, &reference::AdditiveInput::v,
                      &reference::AdditiveInput::x})
    given.input.*tensor = rounded(dtype, given.input.*tensor);
  given.d_o = narrow(rounded(dtype, widen(given.d_o)));
  given.d_weights = narrow(rounded(dtype, widen(given.d_weights)));
  return given;
}

struct Result {
  std::vector<float> o, weights, lse, d_q, d_k, d_v, d_x;

  const std::vector<float>& gradient(int index) const {
    return index == 0 ? d_q : index == 1 ? d_k : index == 2 ? d_v : d_x;
  }
};

inline Result run(const Case& given, const RunOptions& options) {
  const reference::AdditiveInput& in = given.input;
  const attn_dtype_t dtype = options.dtype;
  const Handle handle = make_handle(options);
  attn_additive_desc_t desc{sizeof desc, dtype, in.B, in.Q, in.T, in.A, in.D};
  const auto workspace_bytes = [&](attn_pass_t pass) {
    std::size_t bytes = 0;
    check(attn_additive_workspace_size(handle.get(), &desc, pass, &bytes));
    return bytes;
  };
  Result result;

  Tensors forward(handle, options);
  attn_additive_forward_args_t args{sizeof args,
                                    forward.in(narrow(in.q), dtype),
                                    forward.in(narrow(in.k), dtype),
                                    forward.in(narrow(in.v), dtype),
                                    forward.in(narrow(in.x), dtype),
                                    forward.lengths(in.lengths),
                                    forward.lengths(in.cu_seqlens),
                                    forward.out(in.B * in.Q * in.D, dtype),
                                    options.weights ? forward.out(in.B * in.Q * in.T, dtype) : nullptr,
                                    forward.out(in.B * in.Q)};
  std::size_t bytes = workspace_bytes(ATTN_PASS_FORWARD);
  check(attn_additive_forward(handle.get(), &desc, &args, forward.workspace(bytes), bytes));
  forward.expect_intact();
  result.o = forward.values(args.o);
  result.weights = forward.values(args.weights);
  result.lse = forward.values(args.lse);

  Tensors backward(handle, options);
  std::vector<float> weights = result.weights;
  if (options.weights) given.poison_rows(weights);
  const auto wanted = [&](int index, std::size_t size) {
    return index == options.skipped ? nullptr : backward.out(static_cast<std::int64_t>(size), dtype);
  };
  attn_additive_backward_args_t back{sizeof back,
                                     backward.in(narrow(in.q), dtype),
                                     backward.in(narrow(in.k), dtype),
                                     backward.in(narrow(in.v), dtype),
                                     backward.in(narrow(in.x), dtype),
                                     backward.lengths(in.lengths),
                                     backward.lengths(in.cu_seqlens),
                                     backward.in(result.lse),
                                     options.weights ? backward.in(weights, dtype) : nullptr,
                                     backward.in(given.d_o, dtype),
                                     options.d_weights ? backward.in(given.d_weights, dtype) : nullptr,
                                     wanted(0, in.q.size()),
                                     wanted(1, in.k.size()),
                                     wanted(2, in.v.size()),
                                     wanted(3, in.x.size())};
  bytes = workspace_bytes(ATTN_PASS_BACKWARD);
  check(attn_additive_backward(handle.get(), &desc, &back, backward.workspace(bytes), bytes));
  backward.expect_intact();
  result.d_q = backward.values(back.d_q);
  result.d_k = backward.values(back.d_k);
  result.d_v = backward.values(back.d_v);
  result.d_x = backward.values(back.d_x);
  return result;
}

// The weights that were passed to the backward pass, if 16-bit storage has rounded them; empty if they are those of the
// formula.
inline std::vector<double> rounded_weights(const Result& result, const RunOptions& options) {
  return options.weights && options.dtype != ATTN_DTYPE_FP32 ? widen(result.weights) : std::vector<double>();
}

inline void expect_parity(const Case& any, const RunOptions& options) {
  const attn_dtype_t dtype = options.dtype;
  const Case given = stored(any, dtype);
  const reference::AdditiveInput& in = given.input;
  const Result got = run(given, options);
  const auto expected = reference::additive_forward(in);
  EXPECT_TRUE(close(Operation::additive_forward, got.o, expected.o, {in.B, in.Q, in.D}, dtype)) << "o";
  EXPECT_TRUE(close(Operation::additive_forward, got.lse, expected.lse, {in.B, in.Q})) << "lse";
  if (options.weights) {
    EXPECT_TRUE(close(Operation::additive_forward, got.weights, expected.weights, {in.B, in.Q, in.T}, dtype))
        << "weights";
  }
  const auto gradient = reference::additive_backward(in, widen(given.d_o),
                                                     options.d_weights ? widen(given.d_weights) : std::vector<double>(),
                                                     rounded_weights(got, options));
  EXPECT_TRUE(close(Operation::additive_backward, got.d_q, gradient.q, {in.B, in.Q, in.A}, dtype)) << "d_q";
  EXPECT_TRUE(close(Operation::additive_backward, got.d_k, gradient.k, key_shape(in, in.A), dtype)) << "d_k";
  EXPECT_TRUE(close(Operation::additive_backward, got.d_v, gradient.v, {in.A}, dtype)) << "d_v";
  EXPECT_TRUE(close(Operation::additive_backward, got.d_x, gradient.x, key_shape(in, in.D), dtype)) << "d_x";
}

inline void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  EXPECT_TRUE(same_bits(a.lse, b.lse)) << "lse";
  EXPECT_TRUE(same_bits(a.d_q, b.d_q)) << "d_q";
  EXPECT_TRUE(same_bits(a.d_k, b.d_k)) << "d_k";
  EXPECT_TRUE(same_bits(a.d_v, b.d_v)) << "d_v";
  EXPECT_TRUE(same_bits(a.d_x, b.d_x)) << "d_x";
}

// The case of item b alone.
inline Case item_of(const Case& whole, std::int64_t b) {
  const reference::AdditiveInput& in = whole.input;
  const auto part = [b](const std::vector<double>& tensor, std::int64_t size) {
    return std::vector<double>(tensor.begin() + b * size, tensor.begin() + (b + 1) * size);
  };
  Case alone({1, in.Q, in.T, in.A, in.D}, {});
  alone.input.q = part(in.q, in.Q * in.A);
  alone.input.k = part(in.k, in.T * in.A);
  alone.input.v = in.v;
  alone.input.x = part(in.x, in.T * in.D);
  if (!in.lengths.empty()) alone.input.lengths = {in.lengths[static_cast<std::size_t>(b)]};
  alone.d_o = slice(whole.d_o, b * in.Q * in.D, in.Q * in.D);
  alone.d_weights = slice(whole.d_weights, b * in.Q * in.T, in.Q * in.T);
  return alone;
}

// Expects the bits that an item has in the batch from the item alone.
inline void expect_same_bits_of_each_item(const Case& whole, const Result& batch, const RunOptions& options) {
  const reference::AdditiveInput& in = whole.input;
  for (std::int64_t b = 0; b < in.B; ++b) {
    SCOPED_TRACE(b);
    const Result got = run(item_of(whole, b), options);
    const auto same = [b](const std::vector<float>& alone, const std::vector<float>& all, std::int64_t size) {
      return all.empty() ? alone.empty() : same_bits(alone, slice(all, b * size, size));
    };
    EXPECT_TRUE(same(got.o, batch.o, in.Q * in.D)) << "o";
    EXPECT_TRUE(same(got.weights, batch.weights, in.Q * in.T)) << "weights";
    EXPECT_TRUE(same(got.lse, batch.lse, in.Q)) << "lse";
    EXPECT_TRUE(same(got.d_q, batch.d_q, in.Q * in.A)) << "d_q";
    EXPECT_TRUE(same(got.d_k, batch.d_k, in.T * in.A)) << "d_k";
    EXPECT_TRUE(same(got.d_x, batch.d_x, in.T * in.D)) << "d_x";
  }
}

// Several tiles of queries and several splits of keys, of which the last ones are incomplete.
constexpr AdditiveShape kManySplits{3, 9, 700, 19, 21};

// Neither padding nor memory beyond a tensor is accessed, not even by a load whose value is then discarded.
inline void expect_fences_hold(RunOptions options) {
  options.fenced = true;
  for (std::int64_t width : {1, 19, 32, 65}) {
    expect_parity(Case({1, 1, 70, width, width + 2}, {37}), options);
    expect_parity(Case({1, 9, 66, width, width + 1}, {}), options);
    expect_parity(Case({1, 9, 40, width, width + 1}, {23}), options);
    expect_parity(Case({1, 3, 3, width, width + 1}, {}), options);
  }
}

class Additive : public ::testing::TestWithParam<std::tuple<Target, AdditiveShape>> {
 protected:
  Additive() : options(on(std::get<0>(GetParam()))) {}

  const AdditiveShape shape = std::get<1>(GetParam());
  const Lengths lengths = Random(2).lengths(shape.B, shape.T);
  RunOptions options;
};

class AdditiveOn : public ::testing::TestWithParam<Target> {
 protected:
  AdditiveOn() : options(on(GetParam())) {}

  RunOptions options;
};

inline std::vector<AdditiveShape> shapes() {
  std::vector<AdditiveShape> all = additive_shapes();
  all.push_back(kManySplits);
  return all;
}

// Parameters for every backend: all shapes in fp32, and the smaller selection in 16 bits.
inline auto every_shape() {
  return ::testing::Combine(::testing::ValuesIn(targets(kFullStorage)), ::testing::ValuesIn(shapes()));
}
inline auto narrow_shapes(const std::vector<attn_dtype_t>& dtypes) {
  return ::testing::Combine(::testing::ValuesIn(targets(dtypes)), ::testing::ValuesIn(narrow_additive_shapes()));
}

}  // namespace attn::test::additive

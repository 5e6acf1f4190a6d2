// SPDX-License-Identifier: Apache-2.0
//
// Attention pooling on each backend, in each storage type: special values, extreme magnitudes, accuracy compared with
// plain loops, results whose bits do not depend on threads or batch, and sizes at which a kernel takes a different
// path.
#include <cmath>
#include <limits>

#include "parity/pooling_run.h"

namespace attn::test::pooling {
namespace {

// For properties that do not depend on the storage type.
class PoolingFp32On : public PoolingOn {};

TEST_P(Pooling, SameBitsOnAnyThreadsAndInEachRun) { expect_same_bits_on_any_threads(Case(shape, lengths), options); }

TEST_P(Pooling, PackedGivesTheBitsOfPadded) {
  const Case padded(shape, lengths);
  Result expected = run(padded, options);
  expected.d_x = valid_rows(expected.d_x, shape.T, shape.D, lengths);
  options.misalignment = 1;
  expect_same_bits(run(packed(padded), options), expected);
}

// Compares the errors with those of plain fp32 loops on the same inputs, whose results are rounded to the same storage
// type.
void expect_as_exact_as_plain_loops(const Case& any, const RunOptions& options) {
  const attn_dtype_t dtype = options.dtype;
  const Case given = stored(any, dtype);
  const Result got = run(given, options);
  const std::vector<double> d_o = widen(given.d_o), d_weights = widen(given.d_weights);
  const auto expected = reference::pooling_forward(given.input);
  const auto gradient = reference::pooling_backward(given.input, d_o, d_weights);
  using reference::numbers;
  const auto plain = forward(numbers<float>(given.input));
  const auto d_plain = backward(numbers<float>(given.input), numbers<float>(d_o), numbers<float>(d_weights));
  Ratios ratios(dtype);
  ratios.add("o", ratio_to_naive(got.o, plain.o, expected.o, dtype));
  ratios.add("weights", ratio_to_naive(got.weights, plain.weights, expected.weights, dtype));
  ratios.add("d_x", ratio_to_naive(got.d_x, d_plain.x, gradient.x, dtype));
  ratios.add("d_w", ratio_to_naive(got.d_w, d_plain.w, gradient.w, dtype));
  ratios.add("d_b", ratio_to_naive(got.d_b, d_plain.b, gradient.b, dtype));
}

class PoolingBesidePlainLoops : public Pooling {};

TEST_P(PoolingBesidePlainLoops, AsExactAsPlainLoops) {
  // With one position the gradient of its score is zero, which plain loops compute without any error.
  if (shape.T != 1) expect_as_exact_as_plain_loops(Case(shape, lengths), options);
}

TEST_P(PoolingOn, AnItemAloneGivesTheBitsItHasInABatch) {
  const PoolingShape s = kManySplits;
  const Case whole(s, {700, 0, 411});
  const Result batch = run(whole, options);
  for (std::int64_t b = 0; b < s.B; ++b) {
    SCOPED_TRACE(b);
    Case alone({1, s.T, s.D}, {});
    const auto x = whole.input.x.begin() + b * s.T * s.D;
    alone.input.x.assign(x, x + s.T * s.D);
    alone.input.w = whole.input.w;
    alone.input.b = whole.input.b;
    alone.input.lengths = {whole.input.lengths[static_cast<std::size_t>(b)]};
    alone.d_o = slice(whole.d_o, b * s.D, s.D);
    alone.d_weights = slice(whole.d_weights, b * s.T, s.T);
    const Result got = run(alone, options);
    EXPECT_TRUE(same_bits(got.o, slice(batch.o, b * s.D, s.D))) << "o";
    EXPECT_TRUE(same_bits(got.weights, slice(batch.weights, b * s.T, s.T))) << "weights";
    EXPECT_TRUE(same_bits(got.d_x, slice(batch.d_x, b * s.T * s.D, s.T * s.D))) << "d_x";
  }
}

// Puts each special value into each input, in the body of a vector and in its tail; the last of the three items has no
// positions. Finally puts a NaN into the output gradient of an item with padding.
void expect_specials_pass(RunOptions options) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (double special : {static_cast<double>(kNan), kInfinity, -kInfinity})
    for (const auto tensor : {&reference::PoolingInput::x, &reference::PoolingInput::w, &reference::PoolingInput::b})
      for (std::size_t place : {0, 18, 20}) {
        Case given({3, 67, 21}, {67, 50, 0});
        (given.input.*tensor)[place] = special;
        SCOPED_TRACE(special);
        SCOPED_TRACE(place);
        expect_parity(given, options);
      }
  Case given({3, 67, 21}, {67, 50, 0});
  given.d_o[21] = kNan;
  expect_parity(given, options);
}

TEST_P(PoolingOn, NanAndInfinitiesReachWhatTheyTouch) { expect_specials_pass(options); }

// ManyItems has more items than have their gradients added in one step, ManySplits has an item with more splits than a
// block has threads.
TEST_P(PoolingFp32On, ManyItems) {
  options.fenced = true;
  expect_parity(Case({700, 2, 3}, {}), options);
}
// A few rows at a time fit into shared memory, but a row has more vectors than a block has threads.
TEST_P(PoolingOn, RowsOfManyVectors) { expect_parity(Case({2, 19, 1501}, {19, 7}), options); }

TEST_P(PoolingFp32On, ManySplits) { expect_parity(Case({1, 262200, 1}, {}), options); }

// The context of a single position with score 0 is the position itself, so every finite 16-bit number must be
// unchanged.
TEST_P(PoolingOn, OnePositionIsItsOwnContext) {
  std::vector<std::byte> bytes(std::size_t{2} << 16);
  for (std::size_t bits = 0; bits < bytes.size() / 2; ++bits) {
    bytes[2 * bits] = static_cast<std::byte>(bits % 256);
    bytes[2 * bits + 1] = static_cast<std::byte>(bits / 256);
  }
  std::vector<float> numbers = decode(options.dtype == ATTN_DTYPE_BF16 ? ATTN_DTYPE_BF16 : ATTN_DTYPE_FP16, bytes);
  numbers.erase(std::remove_if(numbers.begin(), numbers.end(), [](float number) { return !std::isfinite(number); }),
                numbers.end());
  const auto D = static_cast<std::int64_t>(numbers.size());
  Case given({1, 1, D}, {});
  given.input.x = widen(numbers);
  given.input.w.assign(numbers.size(), 0);
  given.input.b = {0};
  EXPECT_EQ(run(given, options).o, numbers);
}

// A gradient that is one and a half times the largest number of the storage type.
TEST_P(PoolingOn, GradientsBeyondTheLargestNumber) {
  const Storage type = storage_of(options.dtype);
  const auto largest = static_cast<float>(std::ldexp(2 - type.epsilon(), type.greatest));
  Case given({3, 2, 2}, {});
  given.input.x.assign(12, 0);
  given.input.b.assign(2, 0);
  given.d_o.assign(6, 0);
  given.d_weights = {largest, -largest, largest, -largest, largest, -largest};
  expect_parity(given, options);
  EXPECT_EQ(run(given, options).d_b, (std::vector<float>{HUGE_VALF, -HUGE_VALF}));
}

// Inputs, weights and results near the smallest fp16 numbers, where all numbers are equally spaced.
TEST_P(PoolingOn, SubnormalNumbers) {
  Case given({2, 300, 36}, {});
  for (double& x : given.input.x) x *= 0x1p-18;
  for (float& d_o : given.d_o) d_o *= 0x1p-12F;
  for (float& d_weights : given.d_weights) d_weights *= 0x1p-16F;
  expect_parity(given, options);
}

TEST(PoolingTargets, EveryInstructionSet) {
  on_each_instruction_set([] {
    expect_parity(Case(kManySplits, {700, 0, 411}), {});
    expect_parity(Case({2, 66, 129}, {}), {});
    expect_fences_hold({});
    expect_specials_pass({});
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Pooling, every_shape(), shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Pooling, narrow_shapes(kHalfStorage), shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Shapes, PoolingBesidePlainLoops, narrow_shapes(kAnyStorage), shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Targets, PoolingOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);
INSTANTIATE_TEST_SUITE_P(Targets, PoolingFp32On, ::testing::ValuesIn(targets(kFullStorage)), target_name);

}  // namespace
}  // namespace attn::test::pooling

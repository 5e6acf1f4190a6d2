// SPDX-License-Identifier: Apache-2.0
//
// Additive attention on each backend, in each storage type: special values, extreme magnitudes, accuracy compared with
// plain loops, results whose bits do not depend on threads or batch, and sizes at which a kernel takes a different
// path.
#include <cmath>
#include <limits>

#include "parity/additive_run.h"

namespace attn::test::additive {
namespace {

// For properties that do not depend on the storage type.
class AdditiveFp32On : public AdditiveOn {};

TEST_P(Additive, SameBitsOnAnyThreadsAndInEachRun) { expect_same_bits_on_any_threads(Case(shape, lengths), options); }

TEST_P(Additive, PackedGivesTheBitsOfPadded) {
  const Case padded(shape, lengths), given = packed(padded);
  for (bool weights : {true, false}) {
    options.weights = weights;
    options.misalignment = 0;
    Result expected = run(padded, options);
    expected.d_k = valid_rows(expected.d_k, shape.T, shape.A, lengths);
    expected.d_x = valid_rows(expected.d_x, shape.T, shape.D, lengths);
    options.misalignment = 1;
    expect_same_bits(run(given, options), expected);
  }
}

// Compares the errors with those of plain fp32 loops on the same inputs, whose results are rounded to the same storage
// type.
void expect_as_exact_as_plain_loops(const Case& any, const RunOptions& options) {
  const attn_dtype_t dtype = options.dtype;
  const Case given = stored(any, dtype);
  const Result got = run(given, options);
  const std::vector<double> d_o = widen(given.d_o), d_weights = widen(given.d_weights),
                            weights = rounded_weights(got, options);
  const auto expected = reference::additive_forward(given.input);
  const auto gradient = reference::additive_backward(given.input, d_o, d_weights, weights);
  using reference::numbers;
  const auto plain = forward(numbers<float>(given.input));
  const auto d_plain =
      backward(numbers<float>(given.input), numbers<float>(d_o), numbers<float>(d_weights), numbers<float>(weights));
  Ratios ratios(dtype);
  ratios.add("o", ratio_to_naive(got.o, plain.o, expected.o, dtype));
  ratios.add("weights", ratio_to_naive(got.weights, plain.weights, expected.weights, dtype));
  ratios.add("lse", ratio_to_naive(got.lse, plain.lse, expected.lse), ATTN_DTYPE_FP32);
  ratios.add("d_q", ratio_to_naive(got.d_q, d_plain.q, gradient.q, dtype));
  ratios.add("d_k", ratio_to_naive(got.d_k, d_plain.k, gradient.k, dtype));
  ratios.add("d_v", ratio_to_naive(got.d_v, d_plain.v, gradient.v, dtype));
  ratios.add("d_x", ratio_to_naive(got.d_x, d_plain.x, gradient.x, dtype));
}

class AdditiveBesidePlainLoops : public Additive {};

TEST_P(AdditiveBesidePlainLoops, AsExactAsPlainLoops) { expect_as_exact_as_plain_loops(Case(shape, lengths), options); }

// In the first shapes there are so many queries or keys that a block processes its split in several tiles of keys and
// rescales its partial results, with each of the sizes that a tile has on the GPU. In the last one a block sees whole
// rows that fill its tile.
TEST_P(AdditiveFp32On, SplitsOfSeveralTiles) {
  expect_parity(Case({1, 8200, 290, 3, 4}, {287}), options);
  expect_parity(Case({1, 2, 20000, 3, 4}, {19990}), options);
  expect_parity(Case({1, 25, 17000, 3, 4}, {16900}), options);
}
TEST_P(AdditiveOn, RowsThatFillATile) { expect_parity(Case({1, 4081, 128, 2, 3}, {}), options); }

TEST_P(AdditiveOn, AnItemAloneGivesTheBitsItHasInABatch) {
  const Case whole(kManySplits, {700, 0, 411});
  expect_same_bits_of_each_item(whole, run(whole, options), options);
}

// Puts each special value into each input, in the body of a vector and in its tail, wherever it has an effect; the last
// of the three items has no keys. Finally puts a NaN into the output gradient of an item with padding.
void expect_specials_pass(const AdditiveShape& s, RunOptions options) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (double special : {static_cast<double>(kNan), kInfinity, -kInfinity})
    for (const auto tensor : {&reference::AdditiveInput::q, &reference::AdditiveInput::k, &reference::AdditiveInput::v,
                              &reference::AdditiveInput::x})
      for (std::size_t place : {0, 18, 20}) {
        Case given(s, {static_cast<std::int32_t>(s.T), 20, 0});
        (given.input.*tensor)[place] = special;
        SCOPED_TRACE(special);
        SCOPED_TRACE(place);
        options.weights = true;
        expect_parity(given, options);
        options.weights = false;
        expect_parity(given, options);
      }
  Case given(s, {static_cast<std::int32_t>(s.T), 20, 0});
  given.d_o[static_cast<std::size_t>(s.Q * s.D)] = kNan;
  expect_parity(given, options);
}

// Rows that are split, and rows that one block processes as a whole.
TEST_P(AdditiveOn, NanAndInfinitiesReachWhatTheyTouch) {
  for (std::int64_t T : {67, 33}) expect_specials_pass({3, 2, T, 21, 19}, options);
}
TEST_P(AdditiveFp32On, NanAndInfinitiesOfOneQuery) {
  for (std::int64_t T : {260, 33}) expect_specials_pass({3, 1, T, 21, 19}, options);
}

// A query whose scores are all -inf has no weights: they are 0 / 0.
TEST_P(AdditiveOn, OnlyScoresOfMinusInfinity) {
  for (const auto& [Q, T] : {std::pair<int, int>{2, 70}, {2, 20}, {1, 700}, {1, 20}}) {
    Case given({1, Q, T, 3, 4}, {});
    given.input.v[0] = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < given.input.k.size(); j += 3) given.input.k[j] = -100;
    for (std::size_t i = 0; i < given.input.q.size(); i += 3) given.input.q[i] = 0;
    SCOPED_TRACE(testing::Message() << "Q " << Q << ", T " << T);
    expect_parity(given, options);
  }
}

// The scores are so low that exp(score) underflows to zero, and a missing key with score 0 would outweigh all others.
TEST_P(AdditiveOn, LowScores) {
  for (const auto& [Q, T] : {std::pair<int, int>{2, 70}, {2, 20}, {1, 700}, {1, 20}}) {
    Case given({1, Q, T, 3, 4}, {});
    given.input.v[0] = 300;
    for (std::size_t j = 0; j < given.input.k.size(); j += 3) given.input.k[j] = -20;
    for (std::size_t i = 0; i < given.input.q.size(); i += 3) given.input.q[i] = 0;
    SCOPED_TRACE(testing::Message() << "Q " << Q << ", T " << T);
    expect_parity(given, options);
  }
}

// ManyItems has more items than have their gradients added in one step, ManySplits has an item with more splits than a
// block has threads.
TEST_P(AdditiveFp32On, ManyItems) {
  options.fenced = true;
  for (std::int64_t Q : {1, 2}) expect_parity(Case({700, Q, 2, 3, 2}, {}), options);
}
// The largest score is in the first split, then in the last.
TEST_P(AdditiveFp32On, ManySplits) {
  for (const bool last : {false, true}) {
    SCOPED_TRACE(last);
    Case given({1, 1, 262200, 1, 1}, {});
    given.input.v[0] = 4;
    (last ? given.input.k.back() : given.input.k.front()) = 20;
    expect_parity(given, options);
  }
}

// Scores that overflow to -inf have weight 0, even though the first tile of keys contains no others.
TEST_P(AdditiveOn, ScoresOfMinusInfinityBesideFiniteOnes) {
  Case given({1, 1, 150, 3, 4}, {});
  const double huge =
      options.dtype == ATTN_DTYPE_FP16 ? 65504 : 3e38;  // the sum of two terms overflows fp32, except with fp16 storage
  given.input.v = {huge, huge, 1};
  given.input.q[0] = given.input.q[1] = 0;
  for (std::size_t j = 0; j < 150; ++j) given.input.k[j * 3] = given.input.k[j * 3 + 1] = j < 100 ? -100 : 0;
  expect_parity(given, options);
}

// A sum that rounds to infinity in the storage type, next to one that just does not.
TEST_P(AdditiveOn, SumsAtTheLargestNumber) {
  const Storage type = storage_of(options.dtype);
  const double unit = std::ldexp(type.epsilon(), type.greatest), largest = std::ldexp(2, type.greatest) - unit;
  Case given({1, 2, 1, 3, 2}, {});
  given.input.x.assign(2, 0);
  given.d_o = narrow({largest, largest, 0.75 * unit, 0.25 * unit});
  for (bool weights : {true, false}) {
    options.weights = weights;
    expect_parity(given, options);
    EXPECT_EQ(run(given, options).d_x, narrow({HUGE_VAL, largest}));
  }
}

// Inputs, weights and results near the smallest fp16 numbers, where all numbers are equally spaced.
TEST_P(AdditiveOn, SubnormalNumbers) {
  for (const AdditiveShape& s : {AdditiveShape{2, 5, 70, 33, 20}, AdditiveShape{2, 1, 300, 19, 36}}) {
    Case given(s, {});
    for (double& x : given.input.x) x *= 0x1p-18;
    for (double& v : given.input.v) v *= 8;
    for (float& d_o : given.d_o) d_o *= 0x1p-12F;
    for (float& d_weights : given.d_weights) d_weights *= 0x1p-20F;
    expect_parity(given, options);
    options.weights = false;
    expect_parity(given, options);
    options.weights = true;
  }
}

TEST(AdditiveTargets, EveryInstructionSet) {
  on_each_instruction_set([] {
    expect_parity(Case(kManySplits, {700, 0, 411}), {});
    expect_parity(Case({2, 3, 66, 129, 77}, {}), {});
    expect_fences_hold({});
    expect_specials_pass({3, 2, 67, 21, 19}, {});
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Additive, every_shape(), shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Additive, narrow_shapes(kHalfStorage), shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(Shapes, AdditiveBesidePlainLoops, narrow_shapes(kAnyStorage), shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(Targets, AdditiveOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);
INSTANTIATE_TEST_SUITE_P(Targets, AdditiveFp32On, ::testing::ValuesIn(targets(kFullStorage)), target_name);

}  // namespace
}  // namespace attn::test::additive

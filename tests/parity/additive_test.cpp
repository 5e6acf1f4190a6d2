// SPDX-License-Identifier: Apache-2.0
//
// Additive attention on each backend, in each storage type, against the reference.
#include <cmath>
#include <limits>
#include <utility>

#include "reference/formulas/additive.h"
#include "support/attention_run.h"
#include "support/backends.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

using Lengths = std::vector<std::int32_t>;

struct Case {
  reference::AdditiveInput input;
  std::vector<float> d_o;        // [B, Q, D]
  std::vector<float> d_weights;  // [B, Q, T], NaN behind the lengths

  Case(const AdditiveShape& s, const Lengths& lengths, std::uint64_t seed = 1) {
    Random random(seed);
    input = random_input(s, lengths, random);
    d_o = random.normal(s.B * s.Q * s.D);
    d_weights = random.normal(s.B * s.Q * s.T);
    poison_rows(d_weights);
  }

  // Fills what stands behind the lengths in a tensor [B, Q, T].
  void poison_rows(std::vector<float>& tensor) const {
    for (std::int64_t row = 0; row < input.B * input.Q; ++row) {
      const auto first = tensor.begin() + row * input.T;
      std::fill(first + std::min(key_count(input, row / input.Q), input.T), first + input.T, kNan);
    }
  }
};

// The same with its keys packed instead of padded; it has lengths.
Case packed(Case given) {
  reference::AdditiveInput& in = given.input;
  in.k = valid_rows(in.k, in.T, in.A, in.lengths);
  in.x = valid_rows(in.x, in.T, in.D, in.lengths);
  in.cu_seqlens = cumulative(in.lengths);
  in.lengths.clear();
  return given;
}

// Of a tensor with a row for each key.
std::vector<std::int64_t> key_shape(const reference::AdditiveInput& in, std::int64_t width) {
  if (in.cu_seqlens.empty()) return {in.B, in.T, width};
  return {in.cu_seqlens.back(), width};
}

// The case with the numbers that storage of this type has for its own; what both a backend and the reference get.
Case stored(Case given, attn_dtype_t dtype) {
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

Result run(const Case& given, const RunOptions& options) {
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

// The weights that the backward pass got where they are not those of the formula: 16 bits have rounded them.
std::vector<double> rounded_weights(const Result& result, const RunOptions& options) {
  return options.weights && options.dtype != ATTN_DTYPE_FP32 ? widen(result.weights) : std::vector<double>();
}

void expect_parity(const Case& any, const RunOptions& options) {
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

// Beside plain fp32 loops on the same inputs, whose results are rounded to the same storage.
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
  ratios.add("lse", ratio_to_naive(got.lse, plain.lse, expected.lse));
  ratios.add("d_q", ratio_to_naive(got.d_q, d_plain.q, gradient.q, dtype));
  ratios.add("d_k", ratio_to_naive(got.d_k, d_plain.k, gradient.k, dtype));
  ratios.add("d_v", ratio_to_naive(got.d_v, d_plain.v, gradient.v, dtype));
  ratios.add("d_x", ratio_to_naive(got.d_x, d_plain.x, gradient.x, dtype));
}

void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  EXPECT_TRUE(same_bits(a.lse, b.lse)) << "lse";
  EXPECT_TRUE(same_bits(a.d_q, b.d_q)) << "d_q";
  EXPECT_TRUE(same_bits(a.d_k, b.d_k)) << "d_k";
  EXPECT_TRUE(same_bits(a.d_v, b.d_v)) << "d_v";
  EXPECT_TRUE(same_bits(a.d_x, b.d_x)) << "d_x";
}

// Several blocks of queries and chunks of keys, the last ones not whole.
constexpr AdditiveShape kManyChunks{3, 9, 700, 19, 21};

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

// Of what has nothing to do with the storage type.
class AdditiveFp32On : public AdditiveOn {};

TEST_P(Additive, EveryLengthIsT) { expect_parity(Case(shape, {}), options); }

TEST_P(Additive, LengthsAndMisalignedTensors) {
  for (int misalignment : {1, 4, 9}) {
    options.misalignment = misalignment;
    expect_parity(Case(shape, lengths), options);
  }
}

TEST_P(Additive, WeightsRecomputed) {
  options.weights = false;
  expect_parity(Case(shape, lengths), options);
}

TEST_P(Additive, NoGradientOfWeights) {
  options.d_weights = false;
  expect_parity(Case(shape, lengths), options);
}

TEST_P(Additive, SameBitsOnAnyThreadsAndInEachRun) {
  const Case given(shape, lengths);
  options.threads = 1;
  const Result one = run(given, options);
  for (int threads : {1, 2, 3, 2}) {
    options.threads = threads;
    SCOPED_TRACE(threads);
    expect_same_bits(run(given, options), one);
  }
}

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

class AdditiveBesidePlainLoops : public Additive {};

TEST_P(AdditiveBesidePlainLoops, AsExactAsPlainLoops) { expect_as_exact_as_plain_loops(Case(shape, lengths), options); }

std::vector<AdditiveShape> shapes() {
  std::vector<AdditiveShape> all = additive_shapes();
  all.push_back(kManyChunks);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Additive,
                         ::testing::Combine(::testing::ValuesIn(targets(kFullStorage)), ::testing::ValuesIn(shapes())),
                         shape_name<AdditiveShape>);
const auto kNarrow =
    ::testing::Combine(::testing::ValuesIn(targets(kHalfStorage)), ::testing::ValuesIn(narrow_additive_shapes()));
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Additive, kNarrow, shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(Shapes, AdditiveBesidePlainLoops,
                         ::testing::Combine(::testing::ValuesIn(targets(kAnyStorage)),
                                            ::testing::ValuesIn(narrow_additive_shapes())),
                         shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(Targets, AdditiveOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);
INSTANTIATE_TEST_SUITE_P(Targets, AdditiveFp32On, ::testing::ValuesIn(targets(kFullStorage)), target_name);

TEST_P(AdditiveOn, OutputsDoNotDependOnWhichAreWanted) {
  const Case given({2, 9, 37, 33, 20}, {37, 30});
  const Result all = run(given, options);
  for (options.skipped = 0; options.skipped < 4; ++options.skipped) {
    SCOPED_TRACE(options.skipped);
    const Result some = run(given, options);
    for (int index = 0; index < 4; ++index) {
      if (index == options.skipped) continue;
      EXPECT_TRUE(same_bits(some.gradient(index), all.gradient(index))) << index;
    }
  }
  options.skipped = -1;
  options.weights = false;
  const Result without_weights = run(given, options);
  EXPECT_TRUE(same_bits(without_weights.o, all.o));
  EXPECT_TRUE(same_bits(without_weights.lse, all.lse));
}

// So many queries that a block goes over its keys several tiles at a time, rescaling what it has summed by then; and so
// many that it sees a row as a whole that fills its tile.
TEST_P(AdditiveOn, ChunksOfSeveralTiles) { expect_parity(Case({1, 2049, 530, 3, 4}, {527}), options); }
TEST_P(AdditiveOn, RowsThatFillATile) { expect_parity(Case({1, 4081, 128, 2, 3}, {}), options); }

// Forward without lse and backward for d_x alone, which never looks at the scores' gradients.
void expect_gradient_of_values_alone(const Case& any, const RunOptions& options) {
  const Case given = stored(any, options.dtype);
  const reference::AdditiveInput& in = given.input;
  const Handle handle = make_handle(options);
  Tensors tensors(handle, options);
  const attn_dtype_t dtype = options.dtype;
  attn_additive_desc_t desc{sizeof desc, dtype, in.B, in.Q, in.T, in.A, in.D};
  const void *q = tensors.in(narrow(in.q), dtype), *k = tensors.in(narrow(in.k), dtype),
             *v = tensors.in(narrow(in.v), dtype), *x = tensors.in(narrow(in.x), dtype);
  void *o = tensors.out(in.B * in.Q * in.D, dtype), *weights = tensors.out(in.B * in.Q * in.T, dtype),
       *d_x = tensors.out(in.B * in.T * in.D, dtype);
  attn_additive_forward_args_t forward{sizeof forward, q, k, v, x, nullptr, nullptr, o, weights, nullptr};
  std::size_t bytes = 0;
  check(attn_additive_workspace_size(handle.get(), &desc, ATTN_PASS_FORWARD, &bytes));
  check(attn_additive_forward(handle.get(), &desc, &forward, tensors.workspace(bytes), bytes));
  attn_additive_backward_args_t backward{sizeof backward,
                                         q,
                                         k,
                                         v,
                                         x,
                                         nullptr,
                                         nullptr,
                                         tensors.in(run(given, options).lse),
                                         weights,
                                         tensors.in(given.d_o, dtype),
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         d_x};
  check(attn_additive_workspace_size(handle.get(), &desc, ATTN_PASS_BACKWARD, &bytes));
  check(attn_additive_backward(handle.get(), &desc, &backward, tensors.workspace(bytes), bytes));
  tensors.expect_intact();
  EXPECT_TRUE(same_bits(tensors.values(d_x), run(given, options).d_x));
}

// Rows that one block sees as a whole, and rows that are cut; one query, and several.
TEST_P(AdditiveOn, OnlyTheGradientOfValues) {
  for (const AdditiveShape& shape :
       {AdditiveShape{2, 3, 20, 5, 20}, {2, 3, 70, 5, 20}, {2, 1, 20, 5, 20}, {2, 1, 700, 5, 20}}) {
    SCOPED_TRACE(testing::PrintToString(shape));
    expect_gradient_of_values_alone(Case(shape, {}), options);
  }
}

TEST_P(AdditiveOn, AnItemAloneGivesTheBitsItHasInABatch) {
  const AdditiveShape s = kManyChunks;
  const Case whole(s, {700, 0, 411});
  const Result batch = run(whole, options);
  for (std::int64_t b = 0; b < s.B; ++b) {
    SCOPED_TRACE(b);
    AdditiveShape one = s;
    one.B = 1;
    Case alone(one, {});
    const auto part = [b](const std::vector<double>& tensor, std::int64_t size) {
      return std::vector<double>(tensor.begin() + b * size, tensor.begin() + (b + 1) * size);
    };
    alone.input.q = part(whole.input.q, s.Q * s.A);
    alone.input.k = part(whole.input.k, s.T * s.A);
    alone.input.v = whole.input.v;
    alone.input.x = part(whole.input.x, s.T * s.D);
    alone.input.lengths = {whole.input.lengths[static_cast<std::size_t>(b)]};
    alone.d_o = slice(whole.d_o, b * s.Q * s.D, s.Q * s.D);
    alone.d_weights = slice(whole.d_weights, b * s.Q * s.T, s.Q * s.T);
    const Result got = run(alone, options);
    EXPECT_TRUE(same_bits(got.o, slice(batch.o, b * s.Q * s.D, s.Q * s.D))) << "o";
    EXPECT_TRUE(same_bits(got.weights, slice(batch.weights, b * s.Q * s.T, s.Q * s.T))) << "weights";
    EXPECT_TRUE(same_bits(got.lse, slice(batch.lse, b * s.Q, s.Q))) << "lse";
    EXPECT_TRUE(same_bits(got.d_q, slice(batch.d_q, b * s.Q * s.A, s.Q * s.A))) << "d_q";
    EXPECT_TRUE(same_bits(got.d_k, slice(batch.d_k, b * s.T * s.A, s.T * s.A))) << "d_k";
    EXPECT_TRUE(same_bits(got.d_x, slice(batch.d_x, b * s.T * s.D, s.T * s.D))) << "d_x";
  }
}

TEST_P(AdditiveOn, PackedIsTheFormula) {
  for (bool fenced : {false, true}) {
    options.fenced = fenced;
    expect_parity(packed(Case(kManyChunks, {700, 0, 411})), options);
    expect_parity(packed(Case({4, 1, 70, 19, 32}, {0, 37, 70, 1})), options);
  }
}

// An item that is NaN throughout leaves the others as they were, on either side of it.
TEST_P(AdditiveOn, PackedItemsDoNotTouchEachOther) {
  for (const AdditiveShape& s : {AdditiveShape{3, 5, 200, 20, 36}, AdditiveShape{3, 1, 300, 20, 36}}) {
    const Case given = packed(Case(s, {61, 33, 160}));
    Case poisoned = given;
    std::fill(poisoned.input.k.begin() + 61 * s.A, poisoned.input.k.begin() + 94 * s.A, kNan);
    std::fill(poisoned.input.x.begin() + 61 * s.D, poisoned.input.x.begin() + 94 * s.D, kNan);
    const Result expected = run(given, options), got = run(poisoned, options);
    EXPECT_TRUE(same_outside(expected.o, got.o, s.Q * s.D, 2 * s.Q * s.D)) << "o";
    EXPECT_TRUE(same_outside(expected.lse, got.lse, s.Q, 2 * s.Q)) << "lse";
    EXPECT_TRUE(same_outside(expected.d_q, got.d_q, s.Q * s.A, 2 * s.Q * s.A)) << "d_q";
    EXPECT_TRUE(same_outside(expected.d_k, got.d_k, 61 * s.A, 94 * s.A)) << "d_k";
    EXPECT_TRUE(same_outside(expected.d_x, got.d_x, 61 * s.D, 94 * s.D)) << "d_x";
  }
}

// Where the array cannot be looked at beforehand, an item has no more than T keys.
TEST_P(AdditiveOn, PackedItemsLongerThanT) {
  for (std::int64_t Q : {1, 5}) {
    const Case whole = packed(Case({2, Q, 40, 20, 36}, {40, 40}));
    Case given = whole;
    given.input.cu_seqlens = {0, 40, 81};
    given.input.k.resize(81 * 20, kNan);
    given.input.x.resize(81 * 36, kNan);
    if (options.backend == ATTN_BACKEND_CPU) {
      EXPECT_THROW(run(given, options), Error);
      EXPECT_STREQ(attn_last_error(), "args.cu_seqlens[2]: expected 40 to 40 + T = 80, got 81");
      continue;
    }
    Result got = run(given, options);
    got.d_k.resize(80 * 20);
    got.d_x.resize(80 * 36);
    expect_same_bits(got, run(whole, options));
  }
}

TEST_P(AdditiveOn, LengthsBesidePackedKeysAreRefused) {
  Case given = packed(Case({2, 3, 4, 5, 6}, {4, 1}));
  given.input.lengths = {4, 1};
  EXPECT_THROW(run(given, options), Error);
  EXPECT_STREQ(attn_last_error(), "args.cu_seqlens: expected null where there are lengths, got a pointer");
}

// Neither padding nor what lies behind a tensor is touched, by a load that then drops it neither.
void expect_fences_hold(RunOptions options) {
  options.fenced = true;
  for (std::int64_t width : {1, 19, 32, 65}) {
    expect_parity(Case({1, 1, 70, width, width + 2}, {37}), options);
    expect_parity(Case({1, 9, 66, width, width + 1}, {}), options);
    expect_parity(Case({1, 9, 40, width, width + 1}, {23}), options);
    expect_parity(Case({1, 3, 3, width, width + 1}, {}), options);
  }
}

TEST_P(AdditiveOn, NothingOutsideIsRead) { expect_fences_hold(options); }

// Each special value in each input, in the body of a vector and in a tail, wherever it has an effect; the last of the
// three items has no keys. Then in the gradient of an item with padding.
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

// In rows that are cut and in rows that are whole.
TEST_P(AdditiveOn, NanAndInfinitiesReachWhatTheyTouch) {
  for (std::int64_t T : {67, 33}) expect_specials_pass({3, 2, T, 21, 19}, options);
}
TEST_P(AdditiveFp32On, NanAndInfinitiesOfOneQuery) {
  for (std::int64_t T : {260, 33}) expect_specials_pass({3, 1, T, 21, 19}, options);
}

// A query without any other score has no weights: 0 / 0.
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

// Scores so low that none of their exponentials is a number, and the score of no key would outweigh them all.
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

// More items than have their gradients added in one step, and more chunks of an item than a block has threads.
TEST_P(AdditiveFp32On, ManyItems) {
  options.fenced = true;
  for (std::int64_t Q : {1, 2}) expect_parity(Case({700, Q, 2, 3, 2}, {}), options);
}
// Once the first chunk has the largest score, once the last.
TEST_P(AdditiveFp32On, ManyChunks) {
  for (const bool last : {false, true}) {
    SCOPED_TRACE(last);
    Case given({1, 1, 262200, 1, 1}, {});
    given.input.v[0] = 4;
    (last ? given.input.k.back() : given.input.k.front()) = 20;
    expect_parity(given, options);
  }
}

// Then null stands for every tensor without elements, and for v, which nothing is multiplied by.
TEST_P(AdditiveOn, NoKeysGiveNothing) {
  for (std::int64_t Q : {1, 5}) {
    const Handle handle = make_handle(options);
    Tensors tensors(handle, options);
    attn_additive_desc_t desc{sizeof desc, options.dtype, 2, Q, 0, 5, 6};
    attn_additive_forward_args_t forward{};
    forward.struct_size = sizeof forward;
    forward.q = tensors.in(Random(1).normal(2 * Q * 5), options.dtype);
    forward.o = tensors.out(2 * Q * 6, options.dtype);
    forward.lse = tensors.out(2 * Q);
    std::size_t bytes = 0;
    check(attn_additive_workspace_size(handle.get(), &desc, ATTN_PASS_FORWARD, &bytes));
    check(attn_additive_forward(handle.get(), &desc, &forward, tensors.workspace(bytes), bytes));
    EXPECT_EQ(tensors.values(forward.o), std::vector<float>(static_cast<std::size_t>(2 * Q * 6)));
    EXPECT_EQ(tensors.values(forward.lse), std::vector<float>(static_cast<std::size_t>(2 * Q), -HUGE_VALF));

    attn_additive_backward_args_t backward{};
    backward.struct_size = sizeof backward;
    backward.q = forward.q;
    backward.lse = forward.lse;
    backward.d_o = tensors.in(Random(2).normal(2 * Q * 6), options.dtype);
    backward.d_q = tensors.out(2 * Q * 5, options.dtype);
    backward.d_v = tensors.out(5, options.dtype);
    check(attn_additive_workspace_size(handle.get(), &desc, ATTN_PASS_BACKWARD, &bytes));
    check(attn_additive_backward(handle.get(), &desc, &backward, tensors.workspace(bytes), bytes));
    EXPECT_EQ(tensors.values(backward.d_q), std::vector<float>(static_cast<std::size_t>(2 * Q * 5)));
    EXPECT_EQ(tensors.values(backward.d_v), std::vector<float>(5));
  }
}

TEST_P(AdditiveOn, NoQueriesGiveNoGradient) {
  const Handle handle = make_handle(options);
  Tensors tensors(handle, options);
  attn_additive_desc_t desc{sizeof desc, options.dtype, 2, 0, 40, 5, 6};
  attn_additive_backward_args_t args{};
  args.struct_size = sizeof args;
  std::vector<float> k = Random(1).normal(2 * 40 * 5);
  k.front() = kNan;
  args.k = tensors.in(k, options.dtype);
  args.x = tensors.in(Random(2).normal(2 * 40 * 6), options.dtype);
  args.d_k = tensors.out(2 * 40 * 5, options.dtype);
  args.d_v = tensors.out(5, options.dtype);
  args.d_x = tensors.out(2 * 40 * 6, options.dtype);
  std::size_t bytes = 0;
  check(attn_additive_workspace_size(handle.get(), &desc, ATTN_PASS_BACKWARD, &bytes));
  check(attn_additive_backward(handle.get(), &desc, &args, tensors.workspace(bytes), bytes));
  EXPECT_EQ(tensors.values(args.d_k), std::vector<float>(2 * 40 * 5));
  EXPECT_EQ(tensors.values(args.d_v), std::vector<float>(5));
  EXPECT_EQ(tensors.values(args.d_x), std::vector<float>(2 * 40 * 6));
}

// Scores that overflow to -inf have weight 0, though nothing else stands in the first tile of keys.
TEST_P(AdditiveOn, ScoresOfMinusInfinityBesideFiniteOnes) {
  Case given({1, 1, 150, 3, 4}, {});
  const double huge =
      options.dtype == ATTN_DTYPE_FP16 ? 65504 : 3e38;  // two of them are too much for fp32, if not in fp16
  given.input.v = {huge, huge, 1};
  given.input.q[0] = given.input.q[1] = 0;
  for (std::size_t j = 0; j < 150; ++j) given.input.k[j * 3] = given.input.k[j * 3 + 1] = j < 100 ? -100 : 0;
  expect_parity(given, options);
}

// A sum that rounds to infinity in the storage type, beside one that just does not.
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

// Inputs, weights and results near the smallest numbers of fp16, where it is as far from one to the next everywhere.
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
    expect_parity(Case(kManyChunks, {700, 0, 411}), {});
    expect_parity(Case({2, 3, 66, 129, 77}, {}), {});
    expect_fences_hold({});
    expect_specials_pass({3, 2, 67, 21, 19}, {});
  });
}

}  // namespace
}  // namespace attn::test

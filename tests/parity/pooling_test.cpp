// SPDX-License-Identifier: Apache-2.0
//
// Attention pooling on each backend, in each storage type, against the reference.
#include <limits>

#include "reference/formulas/pooling.h"
#include "support/attention_run.h"
#include "support/backends.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

using Lengths = std::vector<std::int32_t>;

struct Case {
  reference::PoolingInput input;
  std::vector<float> d_o;        // [B, D]
  std::vector<float> d_weights;  // [B, T], NaN behind the lengths

  Case(const PoolingShape& s, const Lengths& lengths) {
    Random random(1);
    input = random_input(s, lengths, random);
    d_o = random.normal(s.B * s.D);
    d_weights = random.normal(s.B * s.T);
    fill_padding(d_weights, s.T, 1, lengths);
  }
};

// The case with the numbers that storage of this type has for its own; what both a backend and the reference get.
Case stored(Case given, attn_dtype_t dtype) {
  for (auto tensor : {&reference::PoolingInput::x, &reference::PoolingInput::w, &reference::PoolingInput::b})
    given.input.*tensor = rounded(dtype, given.input.*tensor);
  given.d_o = narrow(rounded(dtype, widen(given.d_o)));
  given.d_weights = narrow(rounded(dtype, widen(given.d_weights)));
  return given;
}

// The same with its positions packed instead of padded; it has lengths.
Case packed(Case given) {
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

Result run(const Case& given, const RunOptions& options) {
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

void expect_parity(const Case& any, const RunOptions& options) {
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

// Beside plain fp32 loops on the same inputs, whose results are rounded to the same storage.
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

void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  for (int index = 0; index < 3; ++index)
    EXPECT_TRUE(same_bits(a.gradient(index), b.gradient(index))) << "gradient " << index;
}

// Several chunks of positions, the last one not whole.
constexpr PoolingShape kManyChunks{3, 700, 21};

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

// Of what has nothing to do with the storage type.
class PoolingFp32On : public PoolingOn {};

TEST_P(Pooling, EveryLengthIsT) { expect_parity(Case(shape, {}), options); }

TEST_P(Pooling, LengthsAndMisalignedTensors) {
  for (int misalignment : {1, 4, 9}) {
    options.misalignment = misalignment;
    expect_parity(Case(shape, lengths), options);
  }
}

TEST_P(Pooling, NoBiasNoWeightsNoGradientOfWeights) {
  Case given(shape, lengths);
  given.input.b.clear();
  options.weights = options.d_weights = false;
  expect_parity(given, options);
}

TEST_P(Pooling, SameBitsOnAnyThreadsAndInEachRun) {
  const Case given(shape, lengths);
  options.threads = 1;
  const Result one = run(given, options);
  for (int threads : {1, 2, 3, 2}) {
    options.threads = threads;
    SCOPED_TRACE(threads);
    expect_same_bits(run(given, options), one);
  }
}

TEST_P(Pooling, PackedGivesTheBitsOfPadded) {
  const Case padded(shape, lengths);
  Result expected = run(padded, options);
  expected.d_x = valid_rows(expected.d_x, shape.T, shape.D, lengths);
  options.misalignment = 1;
  expect_same_bits(run(packed(padded), options), expected);
}

class PoolingBesidePlainLoops : public Pooling {};

TEST_P(PoolingBesidePlainLoops, AsExactAsPlainLoops) {
  // With one position the gradient of its score is zero, and plain loops find that without any error.
  if (shape.T != 1) expect_as_exact_as_plain_loops(Case(shape, lengths), options);
}

std::vector<PoolingShape> shapes() {
  std::vector<PoolingShape> all = pooling_shapes();
  all.push_back(kManyChunks);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Pooling,
                         ::testing::Combine(::testing::ValuesIn(targets(kFullStorage)), ::testing::ValuesIn(shapes())),
                         shape_name<PoolingShape>);
const auto kNarrow =
    ::testing::Combine(::testing::ValuesIn(targets(kHalfStorage)), ::testing::ValuesIn(narrow_pooling_shapes()));
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Pooling, kNarrow, shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Shapes, PoolingBesidePlainLoops,
                         ::testing::Combine(::testing::ValuesIn(targets(kAnyStorage)),
                                            ::testing::ValuesIn(narrow_pooling_shapes())),
                         shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Targets, PoolingOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);
INSTANTIATE_TEST_SUITE_P(Targets, PoolingFp32On, ::testing::ValuesIn(targets(kFullStorage)), target_name);

void expect_outputs_independent(const Case& given, RunOptions options) {
  const Result all = run(given, options);
  for (options.skipped = 0; options.skipped < 3; ++options.skipped) {
    SCOPED_TRACE(options.skipped);
    const Result some = run(given, options);
    for (int index = 0; index < 3; ++index) {
      if (index == options.skipped) continue;
      EXPECT_TRUE(same_bits(some.gradient(index), all.gradient(index))) << index;
    }
  }
  options.skipped = -1;
  options.weights = false;
  EXPECT_TRUE(same_bits(run(given, options).o, all.o));
}

// Of several chunks, and of rows too wide to be kept.
TEST_P(PoolingOn, OutputsDoNotDependOnWhichAreWanted) {
  expect_outputs_independent(Case(kManyChunks, {700, 0, 411}), options);
  expect_outputs_independent(Case({2, 7, 2052}, {7, 5}), options);
}

TEST_P(PoolingOn, AnItemAloneGivesTheBitsItHasInABatch) {
  const PoolingShape s = kManyChunks;
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

TEST_P(PoolingOn, PackedIsTheFormula) {
  for (bool fenced : {false, true}) {
    options.fenced = fenced;
    expect_parity(packed(Case(kManyChunks, {700, 0, 411})), options);
    expect_parity(packed(Case({4, 70, 32}, {0, 37, 70, 1})), options);
    expect_parity(packed(Case({2, 7, 2052}, {5, 2})), options);
  }
}

// An item that is NaN throughout leaves the others as they were, on either side of it.
TEST_P(PoolingOn, PackedItemsDoNotTouchEachOther) {
  const PoolingShape s{3, 300, 36};
  const Case given = packed(Case(s, {61, 33, 160}));
  Case poisoned = given;
  std::fill(poisoned.input.x.begin() + 61 * s.D, poisoned.input.x.begin() + 94 * s.D, kNan);
  const Result expected = run(given, options), got = run(poisoned, options);
  EXPECT_TRUE(same_outside(expected.o, got.o, s.D, 2 * s.D)) << "o";
  EXPECT_TRUE(same_outside(expected.d_x, got.d_x, 61 * s.D, 94 * s.D)) << "d_x";
}

// Where the array cannot be looked at beforehand, an item has no more than T positions.
TEST_P(PoolingOn, PackedItemsLongerThanT) {
  const Case whole = packed(Case({2, 40, 36}, {40, 40}));
  Case given = whole;
  given.input.cu_seqlens = {0, 40, 81};
  given.input.x.resize(81 * 36, kNan);
  if (options.backend == ATTN_BACKEND_CPU) {
    EXPECT_THROW(run(given, options), Error);
    EXPECT_STREQ(attn_last_error(), "args.cu_seqlens[2]: expected 40 to 40 + T = 80, got 81");
    return;
  }
  Result got = run(given, options);
  got.d_x.resize(80 * 36);
  expect_same_bits(got, run(whole, options));
}

TEST_P(PoolingOn, LengthsBesidePackedPositionsAreRefused) {
  Case given = packed(Case({2, 4, 6}, {4, 1}));
  given.input.lengths = {4, 1};
  EXPECT_THROW(run(given, options), Error);
  EXPECT_STREQ(attn_last_error(), "args.cu_seqlens: expected null where there are lengths, got a pointer");
}

// Neither padding nor what lies behind a tensor is touched, by a load that then drops it neither.
void expect_fences_hold(RunOptions options) {
  options.fenced = true;
  for (std::int64_t D : {1, 19, 32, 65}) {
    expect_parity(Case({1, 70, D}, {37}), options);
    expect_parity(Case({1, 66, D}, {}), options);
  }
}

TEST_P(PoolingOn, NothingOutsideIsRead) { expect_fences_hold(options); }

// Each special value in each input, in the body of a vector and in a tail; the last of the three items has no positions.
// Then in the gradient of an item with padding.
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

// More items than have their gradients added in one step, and more chunks of an item than a block has threads.
TEST_P(PoolingFp32On, ManyItems) {
  options.fenced = true;
  expect_parity(Case({700, 2, 3}, {}), options);
}
// Rows that fit into shared memory, a few at a time, but have more vectors than a block has threads.
TEST_P(PoolingOn, RowsOfManyVectors) { expect_parity(Case({2, 19, 1501}, {19, 7}), options); }

TEST_P(PoolingFp32On, ManyChunks) { expect_parity(Case({1, 262200, 1}, {}), options); }

// Then null stands for every tensor without elements, and for w, which nothing is multiplied by.
TEST_P(PoolingOn, NoPositionsGiveNothing) {
  for (std::int64_t D : {6, 2052}) {
    const Handle handle = make_handle(options);
    Tensors tensors(handle, options);
    attn_pooling_desc_t desc{sizeof desc, options.dtype, 2, 0, D};
    attn_pooling_forward_args_t forward{};
    forward.struct_size = sizeof forward;
    forward.o = tensors.out(2 * D, options.dtype);
    std::size_t bytes = 0;
    check(attn_pooling_workspace_size(handle.get(), &desc, ATTN_PASS_FORWARD, &bytes));
    check(attn_pooling_forward(handle.get(), &desc, &forward, tensors.workspace(bytes), bytes));
    EXPECT_EQ(tensors.values(forward.o), std::vector<float>(static_cast<std::size_t>(2 * D)));

    attn_pooling_backward_args_t backward{};
    backward.struct_size = sizeof backward;
    backward.d_o = tensors.in(Random(1).normal(2 * D), options.dtype);
    backward.d_x = tensors.out(0, options.dtype);
    backward.d_w = tensors.out(D, options.dtype);
    check(attn_pooling_workspace_size(handle.get(), &desc, ATTN_PASS_BACKWARD, &bytes));
    check(attn_pooling_backward(handle.get(), &desc, &backward, tensors.workspace(bytes), bytes));
    EXPECT_EQ(tensors.values(backward.d_w), std::vector<float>(static_cast<std::size_t>(D)));
  }
}

// A position alone with the score 0 counts once, so every finite number of 16 bits is to arrive as it left.
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

// A gradient that is half as large again as the largest number of the storage type.
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

// Inputs, weights and results near the smallest numbers of fp16, where it is as far from one to the next everywhere.
TEST_P(PoolingOn, SubnormalNumbers) {
  Case given({2, 300, 36}, {});
  for (double& x : given.input.x) x *= 0x1p-18;
  for (float& d_o : given.d_o) d_o *= 0x1p-12F;
  for (float& d_weights : given.d_weights) d_weights *= 0x1p-16F;
  expect_parity(given, options);
}

TEST(PoolingTargets, EveryInstructionSet) {
  on_each_instruction_set([] {
    expect_parity(Case(kManyChunks, {700, 0, 411}), {});
    expect_parity(Case({2, 66, 129}, {}), {});
    expect_fences_hold({});
    expect_specials_pass({});
  });
}

}  // namespace
}  // namespace attn::test

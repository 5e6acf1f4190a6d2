// SPDX-License-Identifier: Apache-2.0
//
// Attention pooling on each backend against the reference.
#include <limits>

#include "reference/attention.h"
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

struct Result {
  std::vector<float> o, weights, d_x, d_w, d_b;

  const std::vector<float>& gradient(int index) const { return index == 0 ? d_x : index == 1 ? d_w : d_b; }
};

Result run(const Case& given, const RunOptions& options) {
  const reference::PoolingInput& in = given.input;
  const Handle handle = make_handle(options);
  attn_pooling_desc_t desc{sizeof desc, ATTN_DTYPE_FP32, in.B, in.T, in.D};
  const auto workspace_bytes = [&](attn_pass_t pass) {
    std::size_t bytes = 0;
    check(attn_pooling_workspace_size(handle.get(), &desc, pass, &bytes));
    return bytes;
  };
  const auto bias = [&](Tensors& tensors) { return in.b.empty() ? nullptr : tensors.in(narrow(in.b)); };
  Result result;

  Tensors forward(handle, options);
  attn_pooling_forward_args_t args{sizeof args,
                                   forward.in(narrow(in.x)),
                                   forward.in(narrow(in.w)),
                                   bias(forward),
                                   forward.lengths(in.lengths),
                                   forward.out(in.B * in.D),
                                   options.weights ? forward.out(in.B * in.T) : nullptr};
  std::size_t bytes = workspace_bytes(ATTN_PASS_FORWARD);
  check(attn_pooling_forward(handle.get(), &desc, &args, forward.workspace(bytes), bytes));
  forward.expect_intact();
  result.o = forward.values(static_cast<const float*>(args.o));
  result.weights = forward.values(static_cast<const float*>(args.weights));

  Tensors backward(handle, options);
  const auto wanted = [&](int index, std::int64_t size) {
    return index == options.skipped ? nullptr : backward.out(size);
  };
  attn_pooling_backward_args_t back{sizeof back,
                                    backward.in(narrow(in.x)),
                                    backward.in(narrow(in.w)),
                                    bias(backward),
                                    backward.lengths(in.lengths),
                                    backward.in(given.d_o),
                                    options.d_weights ? backward.in(given.d_weights) : nullptr,
                                    wanted(0, in.B * in.T * in.D),
                                    wanted(1, in.D),
                                    wanted(2, in.T)};
  bytes = workspace_bytes(ATTN_PASS_BACKWARD);
  check(attn_pooling_backward(handle.get(), &desc, &back, backward.workspace(bytes), bytes));
  backward.expect_intact();
  result.d_x = backward.values(static_cast<const float*>(back.d_x));
  result.d_w = backward.values(static_cast<const float*>(back.d_w));
  result.d_b = backward.values(static_cast<const float*>(back.d_b));
  return result;
}

void expect_parity(const Case& given, const RunOptions& options) {
  const reference::PoolingInput& in = given.input;
  const Result got = run(given, options);
  const auto expected = reference::pooling_forward(in);
  EXPECT_TRUE(close(Operation::pooling_forward, got.o, expected.o, {in.B, in.D})) << "o";
  if (options.weights) {
    EXPECT_TRUE(close(Operation::pooling_forward, got.weights, expected.weights, {in.B, in.T})) << "weights";
  }
  const auto gradient = reference::pooling_backward(in, widen(given.d_o),
                                                    options.d_weights ? widen(given.d_weights) : std::vector<double>());
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_x, gradient.x, {in.B, in.T, in.D})) << "d_x";
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_w, gradient.w, {in.D})) << "d_w";
  EXPECT_TRUE(close(Operation::pooling_backward, got.d_b, gradient.b, {in.T})) << "d_b";
}

// Several chunks of positions, the last one not whole.
constexpr PoolingShape kManyChunks{3, 700, 21};

class Pooling : public ::testing::TestWithParam<std::tuple<attn_backend_t, PoolingShape>> {
 protected:
  Pooling() { options.backend = std::get<0>(GetParam()); }

  const PoolingShape shape = std::get<1>(GetParam());
  const Lengths lengths = Random(2).lengths(shape.B, shape.T);
  RunOptions options;
};

class PoolingOn : public ::testing::TestWithParam<attn_backend_t> {
 protected:
  PoolingOn() { options.backend = GetParam(); }

  RunOptions options;
};

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
    const Result again = run(given, options);
    EXPECT_TRUE(same_bits(again.o, one.o)) << "o";
    EXPECT_TRUE(same_bits(again.weights, one.weights)) << "weights";
    for (int index = 0; index < 3; ++index)
      EXPECT_TRUE(same_bits(again.gradient(index), one.gradient(index))) << "gradient " << index;
  }
}

std::vector<PoolingShape> shapes() {
  std::vector<PoolingShape> all = pooling_shapes();
  all.push_back(kManyChunks);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Pooling,
                         ::testing::Combine(::testing::ValuesIn(backends()), ::testing::ValuesIn(shapes())),
                         shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Backends, PoolingOn, ::testing::ValuesIn(backends()), backend_name);

TEST_P(PoolingOn, OutputsDoNotDependOnWhichAreWanted) {
  const Case given(kManyChunks, {700, 0, 411});
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

// Neither padding nor what lies behind a tensor is touched, by a load that then drops it neither.
void expect_fences_hold(RunOptions options) {
  options.fenced = true;
  for (std::int64_t D : {1, 19, 32, 65}) {
    expect_parity(Case({1, 70, D}, {37}), options);
    expect_parity(Case({1, 66, D}, {}), options);
  }
}

TEST_P(PoolingOn, NothingOutsideIsRead) { expect_fences_hold(options); }

// Each special value in each input, in the body of a vector and in a tail.
void expect_specials_pass(RunOptions options) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (double special : {static_cast<double>(kNan), kInfinity, -kInfinity})
    for (const auto tensor : {&reference::PoolingInput::x, &reference::PoolingInput::w, &reference::PoolingInput::b})
      for (std::size_t place : {0, 18, 20}) {
        Case given({2, 67, 21}, {67, 50});
        (given.input.*tensor)[place] = special;
        SCOPED_TRACE(special);
        SCOPED_TRACE(place);
        expect_parity(given, options);
      }
}

TEST_P(PoolingOn, NanAndInfinitiesReachWhatTheyTouch) { expect_specials_pass(options); }

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

// SPDX-License-Identifier: Apache-2.0
//
// Additive attention on each backend, in each storage type, compared with the reference: shapes, optional arguments,
// packed keys, and which memory may be accessed. Extreme values and reproducible bits are tested in
// additive_numerics_test.cpp.
#include "parity/additive_run.h"

namespace attn::test::additive {
namespace {

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

// A forward pass without lse and a backward pass for d_x alone, which does not need the gradients of the scores.
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

// Rows that one block processes as a whole and rows that are split, with one query and with several.
TEST_P(AdditiveOn, OnlyTheGradientOfValues) {
  for (const AdditiveShape& shape :
       {AdditiveShape{2, 3, 20, 5, 20}, {2, 3, 70, 5, 20}, {2, 1, 20, 5, 20}, {2, 1, 700, 5, 20}}) {
    SCOPED_TRACE(testing::PrintToString(shape));
    expect_gradient_of_values_alone(Case(shape, {}), options);
  }
}

TEST_P(AdditiveOn, PackedIsTheFormula) {
  for (bool fenced : {false, true}) {
    options.fenced = fenced;
    expect_parity(packed(Case(kManySplits, {700, 0, 411})), options);
    expect_parity(packed(Case({4, 1, 70, 19, 32}, {0, 37, 70, 1})), options);
  }
}

// An item full of NaN does not change the items before and after it.
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

// The CUDA backend cannot check cu_seqlens in advance; there an item has at most T keys.
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

TEST_P(AdditiveOn, NothingOutsideIsRead) { expect_fences_hold(options); }

// Without keys, null is allowed for every tensor without elements, and for v, which nothing is multiplied by.
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

INSTANTIATE_TEST_SUITE_P(Shapes, Additive, every_shape(), shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Additive, narrow_shapes(kHalfStorage), shape_name<AdditiveShape>);
INSTANTIATE_TEST_SUITE_P(Targets, AdditiveOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);

}  // namespace
}  // namespace attn::test::additive

// SPDX-License-Identifier: Apache-2.0
//
// Attention pooling on each backend, in each storage type, compared with the reference: shapes, optional arguments,
// packed keys, and which memory may be accessed. Extreme values and reproducible bits are tested in
// pooling_numerics_test.cpp.
#include "parity/pooling_run.h"

namespace attn::test::pooling {
namespace {

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

// Items with several splits, and rows too wide to be kept in shared memory.
TEST_P(PoolingOn, OutputsDoNotDependOnWhichAreWanted) {
  expect_outputs_independent(Case(kManySplits, {700, 0, 411}), options);
  expect_outputs_independent(Case({2, 7, 2052}, {7, 5}), options);
}

TEST_P(PoolingOn, PackedIsTheFormula) {
  for (bool fenced : {false, true}) {
    options.fenced = fenced;
    expect_parity(packed(Case(kManySplits, {700, 0, 411})), options);
    expect_parity(packed(Case({4, 70, 32}, {0, 37, 70, 1})), options);
    expect_parity(packed(Case({2, 7, 2052}, {5, 2})), options);
  }
}

// An item full of NaN does not change the items before and after it.
TEST_P(PoolingOn, PackedItemsDoNotTouchEachOther) {
  const PoolingShape s{3, 300, 36};
  const Case given = packed(Case(s, {61, 33, 160}));
  Case poisoned = given;
  std::fill(poisoned.input.x.begin() + 61 * s.D, poisoned.input.x.begin() + 94 * s.D, kNan);
  const Result expected = run(given, options), got = run(poisoned, options);
  EXPECT_TRUE(same_outside(expected.o, got.o, s.D, 2 * s.D)) << "o";
  EXPECT_TRUE(same_outside(expected.d_x, got.d_x, 61 * s.D, 94 * s.D)) << "d_x";
}

// The CUDA backend cannot check cu_seqlens in advance; there an item has at most T positions.
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

TEST_P(PoolingOn, NothingOutsideIsRead) { expect_fences_hold(options); }

// Without positions, null is allowed for every tensor without elements, and for w, which nothing is multiplied by.
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

INSTANTIATE_TEST_SUITE_P(Shapes, Pooling, every_shape(), shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(NarrowShapes, Pooling, narrow_shapes(kHalfStorage), shape_name<PoolingShape>);
INSTANTIATE_TEST_SUITE_P(Targets, PoolingOn, ::testing::ValuesIn(targets(kAnyStorage)), target_name);

}  // namespace
}  // namespace attn::test::pooling

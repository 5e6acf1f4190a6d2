// SPDX-License-Identifier: Apache-2.0
//
// How kernels/tune.h splits work and lays out workspaces.
#include "kernels/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace attn::kernels {
namespace {

constexpr int kMostMultiprocessors = 170;  // among the GPUs that the library is compiled for

// Sizes around those of tiles and splits, and far from them.
const std::vector<Index> kSizes = {1,   2,   3,   4,    5,    8,    13,   16,   17,   24,   25,
                                   31,  32,  33,  50,   64,   65,   127,  128,  129,  200,  255,
                                   256, 257, 400, 1000, 1023, 1024, 1025, 4096, 6144, 6145, 100003};

template <class Body>
void for_each_size(const Body& body) {
  for (const Index a : kSizes)
    for (const Index b : kSizes) body(a, b);
}

// The splits are contiguous and do not overlap, none is empty, and the last ends at T.
void expect_covered(const Split& split, Index T, const std::string& what) {
  SCOPED_TRACE(what + ", T = " + std::to_string(T));
  ASSERT_GE(split.keys, 1);
  ASSERT_GE(split.count, 1);
  ASSERT_GE(split.count * split.keys, T);
  ASSERT_LT((split.count - 1) * split.keys, std::max<Index>(T, 1));
}

TEST(Tune, EveryKeyIsInOneSplit) {
  for (const Index other : kSizes) {
    for (Index T = 0; T < 3000; ++T) {
      expect_covered(split_single(T, other), T, "single, width " + std::to_string(other));
      expect_covered(split_multi(other, T), T, "multi, Q = " + std::to_string(other));
      expect_covered(split_multi_forward(other, T), T, "multi forward, Q = " + std::to_string(other));
      expect_covered(split_tiles(other, T), T, "tiles, Q = " + std::to_string(other));
      expect_covered(split_gradients(T, other), T, "gradient_splits, A = " + std::to_string(other));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// The splits fit into the shared memory and registers of the kernels.
TEST(Tune, SplitsFitTheKernels) {
  for_each_size([](Index size, Index other) {
    for (const Index T : {size, 1000 * size}) {
      EXPECT_LE(split_single(T, other).keys, kMostSplitKeys) << T;
      EXPECT_LE(split_tiles(other, T).keys, kTileKeys) << T;
      const Split split = split_multi_forward(other, T);
      const Index tile_keys = forward_tile(other, T).keys;
      EXPECT_TRUE(split.keys <= tile_keys || split.keys % tile_keys == 0) << "a split is whole tiles: " << T;
    }
  });
}

// The bits of an item's results may depend neither on its batch nor on the device. Plans therefore take no device, and
// split every batch in the same way.
TEST(Tune, CutsAreTheSameInEveryBatch) {
  const auto same = [](const Split& a, const Split& b) { return a.keys == b.keys && a.count == b.count; };
  for_each_size([&](Index Q, Index T) {
    for (const Index width : {1, 31, 64, 128, 1000}) {
      const auto additive = plan_additive_backward(1, Q, T, width, 128);
      const auto pooling = plan_pooling_backward(1, T, width);
      const auto forward = plan_additive_forward(1, Q, T, width, 128, true);
      for (const Index B : {0, 2, 33, 5000}) {
        EXPECT_TRUE(same(plan_additive_backward(B, Q, T, width, 128).split, additive.split));
        EXPECT_TRUE(same(plan_additive_backward(B, Q, T, width, 128).gradient_split, additive.gradient_split));
        EXPECT_TRUE(same(plan_pooling_backward(B, T, width).split, pooling.split));
        const auto batch = plan_additive_forward(B, Q, T, width, 128, true);
        EXPECT_TRUE(same(batch.common.split, forward.common.split));
        EXPECT_EQ(batch.common.whole, forward.common.whole);
      }
    }
  });
}

TEST(Tune, OneItemOf4096KeysFillsEveryGpu) {
  constexpr Index T = 4096;
  for (Index width = 1; width <= 5000; ++width) {
    EXPECT_GE(split_single(T, width).count, kMostMultiprocessors) << "width " << width;
    EXPECT_GE(split_gradients(T, width).count * divide_up(width, kStepColumns), kMostMultiprocessors)
        << "A = " << width;
  }
  for (Index Q = 2; Q <= 5000; ++Q) {
    const Index tiles = divide_up(Q, Q <= kFewQueries ? kFewQueries : kTileQueries);
    // Blocks of four warps. Those of 25 to 160 queries are fewer, because larger tiles save more.
    const Index forward = divide_up(Q, forward_tile(Q, T).queries) * split_multi_forward(Q, T).count;
    EXPECT_GE(forward, Q <= 24 || Q > 160 ? kMostMultiprocessors : 64) << "Q = " << Q;
    EXPECT_GE(tiles * split_tiles(Q, T).count, kMostMultiprocessors) << "Q = " << Q;
  }
}

// ---- workspaces -----------------------------------------------------------------------------------------------------

struct Piece {
  Index offset;
  double count;  // in floats
};

std::vector<Piece> pieces_of(const ForwardPlan& plan, Index B, Index Q, Index T, Index D, bool fp32) {
  const double rows = plan.whole ? 0 : static_cast<double>(B) * static_cast<double>(Q);
  const auto splits = static_cast<double>(plan.split.count);
  return {{plan.states, rows * splits * 2},
          {plan.contexts, rows * splits * static_cast<double>(D)},
          {plan.scores, fp32 ? 0 : rows * static_cast<double>(T)}};
}

std::vector<Piece> pieces_of(const EncodingPlan& of, Index B, Index Q, Index T, Index A) {
  if (Q == 1 || B == 0 || T == 0) return {};
  EXPECT_GE(of.query_tiles * of.tile_queries, Q);
  EXPECT_GE(of.key_tiles * of.used_keys, T);
  EXPECT_LE(of.used_keys, of.tile_keys);
  EXPECT_GE(of.columns, A);
  const auto elements = [&](Index tiles, Index rows) {
    return static_cast<double>(B) * static_cast<double>(tiles * rows) * static_cast<double>(of.columns);
  };
  return {{of.q, elements(of.query_tiles, of.tile_queries)},
          {of.k, elements(of.key_tiles, of.tile_keys)},
          {of.factors, 2 * static_cast<double>(of.columns)},
          {of.values, 3},
          {of.ranges, 2 * static_cast<double>(B) * static_cast<double>(of.range_parts)},
          {of.arithmetic, static_cast<double>(B)}};
}

std::vector<Piece> joined(std::vector<Piece> pieces, const std::vector<Piece>& more) {
  pieces.insert(pieces.end(), more.begin(), more.end());
  return pieces;
}

std::vector<Piece> pieces_of(const AdditiveForwardPlan& plan, Index B, Index Q, Index T, Index A, Index D, bool fp32) {
  return joined(pieces_of(plan.encoding, B, Q, T, A), pieces_of(plan.common, B, Q, T, D, fp32));
}

std::vector<Piece> pieces_of(const AdditiveBackwardPlan& plan, Index B, Index Q, Index T, Index A) {
  const double items = static_cast<double>(B), rows = items * static_cast<double>(Q), width = static_cast<double>(A);
  const double pairs = rows * static_cast<double>(T), gradient_splits = static_cast<double>(plan.gradient_split.count);
  return joined(pieces_of(plan.encoding, B, Q, T, A), {{plan.weights, pairs},
                                                       {plan.d_e, pairs},
                                                       {plan.means, rows * static_cast<double>(plan.split.count)},
                                                       {plan.d_q_partials, rows * gradient_splits * width},
                                                       {plan.d_v_partials, items * gradient_splits * width},
                                                       {plan.sums, kPartialSums * width}});
}

std::vector<Piece> pieces_of(const PoolingBackwardPlan& plan, Index B, Index T, Index D) {
  const double items = static_cast<double>(B), splits = items * static_cast<double>(plan.split.count);
  const double keys = static_cast<double>(T), width = static_cast<double>(D);
  return {{plan.e, items * keys},     {plan.d_z, items * keys},
          {plan.sums, splits * 2},    {plan.vectors, splits * 2 * width},
          {plan.d_w, splits * width}, {plan.partials, kPartialSums * std::max(keys, width)}};
}

template <class Plan>
Index bytes_of(const Plan& plan) {
  return plan.bytes;
}
Index bytes_of(const AdditiveForwardPlan& plan) { return plan.common.bytes; }

// No array overlaps the next or exceeds the workspace, and each is aligned to 64 bytes.
template <class Plan, class... Shape>
void expect_disjoint(const Plan& plan, Shape... shape) {
  std::vector<Piece> pieces = pieces_of(plan, shape...);
  pieces.push_back({bytes_of(plan), 0});
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].offset % 64, 0) << "piece " << i;
    EXPECT_LE(static_cast<double>(pieces[i].offset) + 4 * pieces[i].count, static_cast<double>(pieces[i + 1].offset))
        << "piece " << i;
  }
}

TEST(Tune, PiecesOfAWorkspaceDoNotOverlap) {
  for_each_size([](Index Q, Index T) {
    for (const Index B : {0, 1, 7})
      for (const Index A : {1, 33, 1000})
        for (const Index D : {1, 17, 2049}) {
          for (const bool fp32 : {true, false})
            expect_disjoint(plan_additive_forward(B, Q, T, A, D, fp32), B, Q, T, A, D, fp32);
          expect_disjoint(plan_additive_backward(B, Q, T, A, D), B, Q, T, A);
          expect_disjoint(plan_pooling_backward(B, T, D), B, T, D);
        }
  });
}

// The constants of kernels/README.md, in floats, plus 16 for each array whose size is rounded up.
TEST(Tune, WorkspacesGrowWithInputsOutputsAndPairs) {
  for (const Index B : {1, 3})
    for_each_size([&](Index Q, Index T) {
      for_each_size([&](Index A, Index D) {
        const Index pairs = B * Q * T, tensors = B * (Q + T) * (A + D);
        const Index forward = plan_additive_forward(B, Q, T, A, D, false).common.bytes / 4;
        const Index padding = Q == 1 ? 0 : B * ((31 + 127) * (A + 7) + 7 * (Q + T) + 257) + 2 * A;
        ASSERT_LE(forward, 2 * pairs + 8 * tensors + padding + 9 * 16) << Q << " " << T << " " << A << " " << D;
        const Index backward = plan_additive_backward(B, Q, T, A, D).bytes / 4;
        ASSERT_LE(backward, 11 * pairs + 32 * tensors + 64 * A + padding + 12 * 16)
            << Q << " " << T << " " << A << " " << D;
      });
      const Index D = Q, pooling = plan_pooling_backward(B, T, D).bytes / 4;
      ASSERT_LE(pooling, 4 * B * (T + 1) * D + 64 * (T + D) + 6 * 16) << T << " " << D;
    });
}

TEST(Tune, SizesBeyond32BitsAreExact) {
  constexpr Index k2to17 = Index{1} << 17;
  const auto plan = plan_additive_backward(3, k2to17, k2to17, 64, 64);
  EXPECT_EQ(plan.d_e - plan.weights, 4 * 3 * k2to17 * k2to17);
  expect_disjoint(plan, 3, k2to17, k2to17, 64);
  const auto pooling = plan_pooling_backward(k2to17, k2to17, 512);
  EXPECT_EQ(pooling.d_z - pooling.e, 4 * k2to17 * k2to17);
  EXPECT_EQ(pooling.d_w - pooling.vectors, 2 * (pooling.partials - pooling.d_w));
  expect_disjoint(pooling, k2to17, k2to17, 512);
}

// The API accepts shapes of nearly 2^59 elements; the sizes that they need must not wrap around to small ones.
TEST(Tune, ImpossibleSizesStayImpossible) {
  constexpr Index kImpossible = Index{1} << 62;
  EXPECT_GE(plan_additive_forward(1, 1000, 256, 1, Index{1} << 50, true).common.bytes, kImpossible);
  EXPECT_GE(plan_additive_forward(Index{1} << 58, 2, 1, 1, 1, true).common.bytes, kImpossible);
  EXPECT_GE(plan_additive_backward(1, Index{1} << 49, 512, 512, 1).bytes, kImpossible);
  EXPECT_GE(plan_pooling_backward(1, 4096, Index{1} << 58).bytes, kImpossible);
  Layout layout;
  layout.add_rows(Index{1} << 40, Index{1} << 40);
  const Index after = layout.add(1);
  EXPECT_GE(after, kImpossible);
  EXPECT_GE(layout.bytes(), after);
}

}  // namespace
}  // namespace attn::kernels

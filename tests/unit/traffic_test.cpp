// SPDX-License-Identifier: Apache-2.0
//
// The bytes that bench/traffic.h states for a call. tests/kernels/fused_test.cpp compares them with the bytes that the
// kernels move.
#include "bench/traffic.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace attn::bench {

static std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.B << ", " << s.Q << ", " << s.T << ", " << s.A << ", " << s.D << ", size " << s.size;
}

namespace {

// One block and one split: the terms are k and x, q and v, then o and lse, and the weights.
TEST(Traffic, OfOneBlockByHand) {
  const Shape s{1, 1, 2, 3, 5, 4};
  EXPECT_EQ(additive_forward_bytes(s, false), 4 * (2 * 3 + 2 * 5 + 3 + 3 + 5) + 4);
  EXPECT_EQ(additive_forward_bytes(s, true), additive_forward_bytes(s, false) + 4 * 2);
  EXPECT_EQ(additive_forward_bytes(s, true), additive_forward_tensors(s, true));
  const Shape pooled{1, 1, 2, 0, 5, 2};
  EXPECT_EQ(pooling_forward_bytes(pooled, true), 2 * (2 * 5 + 5 + 2 + 5 + 2));
  EXPECT_EQ(pooling_forward_bytes(pooled, true), pooling_forward_tensors(pooled, true));
}

// 40 queries are divided into two tiles of 32, and 300 keys into five splits of 64; rows are padded to 8 columns.
TEST(Traffic, OfTilesByHand) {
  const Shape s{2, 40, 300, 7, 9, 4};
  ASSERT_EQ(kernels::split_multi_forward(40, 300).count, 5);
  const Index rows = 2 * 32 + 5 * 64, parts = 2, blocks = 1 + 5, partials = 40 * 5;
  const Index ranges = 4 * 340 * 7 + 8 * parts, encode = 4 * 340 * 7 + 4 * rows * 8 + 6 * rows + 8 * parts * blocks;
  const Index scores = 2 * 5 * 4 * (32 + 64 + 1) * 8, values = 2 * 4 * 300 * 9;
  EXPECT_EQ(additive_forward_bytes(s, false),
            4 * 2 * 7 + 8 * 8 +
                2 * (ranges + encode + scores + values + 4 * 40 * 9 + 4 * 40 + 20 * partials + 8 * partials * 9));
  EXPECT_EQ(additive_forward_bytes(s, true), additive_forward_bytes(s, false) + 2 * (4 + 8) * 40 * 300);
}

TEST(Traffic, OfPoolingBackwardByHand) {
  const Shape s{3, 1, 10, 0, 6, 4};  // one split per item; e, g and s are written, e and g read
  const Index first = 4 * (10 * 6 + 10 + 2 * 6) + 8 * 10 + 8 * 6 + 8;
  const Index second = 4 * (10 * 6 + 2 * 6) + 12 * 10 + 12 * 6 + 8;
  EXPECT_EQ(pooling_backward_bytes(s, false), 3 * (first + second) + (4 * 3 * 6 + 4 * 6) + (4 * 3 * 10 + 4 * 10));
}

TEST(Traffic, IsNeverLessThanTheTensors) {
  for (const Index size : {2, 4})
    for (const Index Q : {1, 3, 17, 200})
      for (const Index T : {1, 33, 400, 5000})
        for (const Index width : {1, 40, 700}) {
          const Shape s{2, Q, T, width, 2 * width, size}, pooled{2, 1, T, 0, width, size};
          for (const bool weights : {false, true}) {
            EXPECT_GE(additive_forward_bytes(s, weights), additive_forward_tensors(s, weights)) << s;
            EXPECT_GE(pooling_forward_bytes(pooled, weights), pooling_forward_tensors(pooled, weights)) << pooled;
            EXPECT_GE(pooling_backward_bytes(pooled, weights), pooling_backward_tensors(pooled, weights)) << pooled;
            for (const bool d_weights : {false, true})
              EXPECT_GE(additive_backward_bytes(s, weights, d_weights),
                        additive_backward_tensors(s, weights, d_weights))
                  << s;
          }
        }
}

// Every item of a batch moves the same bytes; a product truncated to 32 bits would not be linear in B.
TEST(Traffic, GrowsWithTheBatchBeyond32Bits) {
  for (const Index Q : {1, 50})
    for (const Index B : {1000, 1000000}) {
      const auto of = [&](Index batch) { return Shape{batch, Q, 4096, 256, 512, 4}; };
      const auto forward = [&](Index batch) { return additive_forward_bytes(of(batch), true); };
      EXPECT_EQ(forward(3 * B) - forward(2 * B), forward(2 * B) - forward(B));
      EXPECT_GT(forward(2 * B) - forward(B), Index{1} << 32);
      const auto backward = [&](Index batch) { return additive_backward_bytes(of(batch), false, true); };
      EXPECT_EQ(backward(3 * B) - backward(2 * B), backward(2 * B) - backward(B));
      EXPECT_GT(backward(2 * B) - backward(B), Index{1} << 32);
      const auto pooling = [&](Index batch) { return pooling_backward_bytes({batch, 1, 4096, 0, 512, 4}, true); };
      EXPECT_EQ(pooling(3 * B) - pooling(2 * B), pooling(2 * B) - pooling(B));
      EXPECT_GT(pooling(2 * B) - pooling(B), Index{1} << 32);
    }
}

}  // namespace
}  // namespace attn::bench

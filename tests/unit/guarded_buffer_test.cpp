// SPDX-License-Identifier: Apache-2.0
#include "support/guarded_buffer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/storage.h"

namespace attn::test {
namespace {

TEST(GuardedBuffer, StandsWhereAskedAndStartsUnwritten) {
  for (int misalignment = 0; misalignment < 16; ++misalignment) {
    const GuardedBuffer buffer(5, misalignment);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 4U * misalignment);
    for (float value : buffer.values()) EXPECT_TRUE(std::isnan(value));
    EXPECT_TRUE(std::isnan(buffer.data()[-1]) && std::isnan(buffer.data()[5]));
  }
}

TEST(GuardedBuffer, NoticesEveryWriteOutside) {
  for (std::int64_t size : {0, 1, 17})
    for (std::int64_t index = -64; index < size + 64; ++index) {
      GuardedBuffer buffer(std::vector<float>(size, 1.0F), 3);
      buffer.data()[index] = kNan;
      EXPECT_EQ(buffer.intact(), index >= 0 && index < size) << "size " << size << ", index " << index;
    }
}

TEST(GuardedBuffer, KeepsItsValues) {
  GuardedBuffer buffer(std::vector<float>{1, 2, 3}, 1);
  buffer.data()[1] = 5;
  EXPECT_EQ(buffer.values(), (std::vector<float>{1, 5, 3}));
}

// The guards around 16-bit elements are NaN in both formats, at every offset.
TEST(GuardedMemory, HoldsElementsOfTwoBytes) {
  for (attn_dtype_t dtype : {ATTN_DTYPE_FP16, ATTN_DTYPE_BF16})
    for (int misalignment = 0; misalignment < 64; misalignment += 2) {
      GuardedMemory memory(encode(dtype, {1, -2, 3}), misalignment);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, static_cast<std::uintptr_t>(misalignment));
      EXPECT_EQ(decode(dtype, memory.bytes()), (std::vector<float>{1, -2, 3}));
      for (float value : decode(dtype, {memory.data() - 6, memory.data()})) EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(memory.intact());
      const std::vector<std::byte> nan = encode(dtype, {kNan});
      std::copy(nan.begin(), nan.end(), memory.data() + 6);
      EXPECT_FALSE(memory.intact());
    }
}

TEST(FillPadding, StartsAtTheLengths) {
  std::vector<float> tensor(3 * 2 * 2, 1);
  fill_padding(tensor, 2, 2, {1, 2, 0}, 9);
  EXPECT_EQ(tensor, (std::vector<float>{1, 1, 9, 9, 1, 1, 1, 1, 9, 9, 9, 9}));
}

}  // namespace
}  // namespace attn::test

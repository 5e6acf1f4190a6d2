// SPDX-License-Identifier: Apache-2.0
//
// Tests operations that access the same bytes.
#include "memory/uses.h"

#include <gtest/gtest.h>

#include <set>

namespace vgpu {
namespace {

constexpr std::size_t kSize = 10000;

class UsesTest : public testing::Test {
 protected:
  // Records work that accesses these bytes and that comes after the operations in `past`.
  std::optional<UseHistory::Conflict> work(const std::set<std::uint64_t>& past, Use use, std::size_t offset,
                                           std::size_t count) {
    history_.mark(use, offset, count);
    return history_.settle(next_++, first_, [&](std::uint64_t earlier) { return past.count(earlier) != 0; });
  }

  UseHistory history_{kSize};
  std::uint64_t next_ = 0, first_ = 0;
};

TEST_F(UsesTest, OneOfTwoHasToWrite) {
  EXPECT_FALSE(work({}, Use::kRead, 0, kSize));
  EXPECT_FALSE(work({}, Use::kRead, 0, kSize));
  const auto conflict = work({}, Use::kWrite, 100, 4);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->offset, 100u);
  EXPECT_TRUE(conflict->writes_now);
  EXPECT_FALSE(conflict->wrote_earlier);
}

TEST_F(UsesTest, EachByteCountsByItself) {
  EXPECT_FALSE(work({}, Use::kWrite, 0, 4097));
  EXPECT_FALSE(work({}, Use::kWrite, 4097, kSize - 4097));
  const auto conflict = work({1}, Use::kWrite, 4096, 2);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->earlier_work, 0u);
  EXPECT_EQ(conflict->offset, 4096u);
}

TEST_F(UsesTest, OrderedWorkDoesNotConflict) {
  EXPECT_FALSE(work({}, Use::kWrite, 0, kSize));
  EXPECT_FALSE(work({0}, Use::kRead, 0, kSize));
  EXPECT_FALSE(work({0, 1}, Use::kWrite, 50, 5000));
  EXPECT_TRUE(work({0, 2}, Use::kWrite, 0, 1));  // work 1 has read this byte
}

// For overwritten bytes only the last write is remembered; for the other bytes the earlier write remains.
TEST_F(UsesTest, LaterWritesReplaceEarlierOnes) {
  EXPECT_FALSE(work({}, Use::kWrite, 0, kSize));
  EXPECT_FALSE(work({0}, Use::kWrite, 0, 8));
  EXPECT_FALSE(work({1}, Use::kRead, 0, 8));
  const auto conflict = work({1}, Use::kRead, 4, 5);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->earlier_work, 0u);
  EXPECT_EQ(conflict->offset, 8u);
}

TEST_F(UsesTest, StrongUsesConflictWithPlainOnes) {
  EXPECT_FALSE(work({}, Use::kStrongWrite, 0, 4));
  EXPECT_FALSE(work({}, Use::kStrongWrite, 0, 4));
  EXPECT_FALSE(work({}, Use::kStrongRead, 0, 4));
  EXPECT_TRUE(work({}, Use::kRead, 0, 4));
  EXPECT_TRUE(work({}, Use::kWrite, 0, 4));
}

TEST_F(UsesTest, TheFarPastConflictsWithNothing) {
  EXPECT_FALSE(work({}, Use::kWrite, 0, kSize));
  first_ = 1;
  EXPECT_FALSE(work({}, Use::kWrite, 0, kSize));
}

TEST_F(UsesTest, OneWorkDoesNotConflictWithItself) {
  EXPECT_TRUE(history_.mark(Use::kRead, 0, 10));
  EXPECT_FALSE(history_.mark(Use::kWrite, 5, 10));
  EXPECT_FALSE(history_.settle(0, 0, [](std::uint64_t) { return false; }));
  EXPECT_TRUE(history_.mark(Use::kRead, 0, 1));
}

}  // namespace
}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// Feeds on every backend: batches arrive complete and in order, slots take turns, and misuse is reported.
#include "attn_cuda/feed.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "support/backends.h"

namespace attn::test {
namespace {

using Values = std::vector<float>;

void expect_refused(attn_status_t status, const std::string& message) {
  EXPECT_EQ(status, ATTN_INVALID_ARGUMENT);
  EXPECT_EQ(attn_last_error(), message);
}

// Consecutive batches differ in their values and sizes.
Values batch(int n) {
  Values values(static_cast<std::size_t>(50 - 7 * (n % 5)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(1000 * n) + static_cast<float>(i);
  return values;
}

constexpr std::size_t kBytes = 50 * sizeof(float);

class Feeds : public testing::TestWithParam<Target> {
 protected:
  void send(Feed& feed, const Values& values) const {
    std::copy(values.begin(), values.end(), static_cast<float*>(feed.fill()));
    feed.send(values.size() * sizeof(float));
  }
  Values downloaded(const void* pointer, std::size_t size) const {
    Values values(size);
    check(attn_copy_to_host(handle_.get(), values.data(), pointer, size * sizeof(float)));
    return values;
  }
  void expect_taken(Feed& feed, int n) const {
    const void* const pointer = feed.take();
    EXPECT_EQ(downloaded(pointer, batch(n).size()), batch(n)) << "batch " << n;
  }

  const Handle handle_{GetParam().backend};
};

TEST_P(Feeds, BringOneBatchAfterTheOther) {
  for (const int slots : {2, 3, 5}) {
    SCOPED_TRACE(slots);
    Feed feed(handle_, kBytes, slots);
    int sent = 0;
    for (int taken = 0; taken < 17; ++taken) {
      for (; sent < taken + slots - 1; ++sent) send(feed, batch(sent));  // sends as far ahead as the slots allow
      expect_taken(feed, taken);
    }
  }
}

TEST_P(Feeds, GiveAlignedMemoryOfTheirOwnToEachSlot) {
  Feed feed(handle_, 65);
  std::vector<std::uintptr_t> places;
  for (int n = 0; n < 4; ++n) {
    const auto host = reinterpret_cast<std::uintptr_t>(feed.fill());
    EXPECT_EQ(host % 64, 0u);
    feed.send(65);
    const auto device = reinterpret_cast<std::uintptr_t>(feed.take());
    EXPECT_EQ(device % 64, 0u);
    places.insert(places.end(), {host, device});
  }
  EXPECT_GE(std::max(places[0], places[2]) - std::min(places[0], places[2]), 65u);
  EXPECT_GE(std::max(places[1], places[3]) - std::min(places[1], places[3]), 65u);
  EXPECT_TRUE(std::equal(places.begin(), places.begin() + 4, places.begin() + 4)) << "two slots take turns";
}

TEST_P(Feeds, FillAgainWhatWasNotSent) {
  Feed feed(handle_, kBytes);
  void* const first = feed.fill();
  EXPECT_EQ(feed.fill(), first);
  send(feed, batch(1));
  EXPECT_NE(feed.fill(), first);
  expect_taken(feed, 1);
}

TEST_P(Feeds, SendNothingToo) {
  Feed feed(handle_, kBytes);
  feed.fill();
  feed.send(0);
  EXPECT_NE(feed.take(), nullptr);
  send(feed, batch(2));
  expect_taken(feed, 2);
}

TEST_P(Feeds, MayEndWithBatchesOnTheirWay) {
  Feed feed(handle_, kBytes, 3);
  for (int n = 0; n < 3; ++n) send(feed, batch(n));
  feed.take();
}

TEST_P(Feeds, RefuseCallsOutOfTurn) {
  attn_feed_t feed = nullptr;
  ASSERT_EQ(attn_feed_create(handle_.get(), kBytes, 2, &feed), ATTN_SUCCESS);
  void* pointer = nullptr;
  const std::string unfilled = "feed: expected a slot that attn_feed_fill gave, got none";
  const std::string unsent = "feed: expected a batch that attn_feed_send sent, got none";
  const std::string full = "feed: expected a slot that is neither sent nor taken, got 2 of 2 that are";
  const auto send_one = [&] {
    EXPECT_EQ(attn_feed_fill(feed, &pointer), ATTN_SUCCESS);
    EXPECT_EQ(attn_feed_send(feed, 4), ATTN_SUCCESS);
  };
  expect_refused(attn_feed_send(feed, 4), unfilled);
  expect_refused(attn_feed_take(feed, &pointer), unsent);
  EXPECT_EQ(attn_feed_fill(feed, &pointer), ATTN_SUCCESS);
  expect_refused(attn_feed_take(feed, &pointer), unsent);
  send_one();
  expect_refused(attn_feed_send(feed, 4), unfilled);
  send_one();
  expect_refused(attn_feed_fill(feed, &pointer), full);
  EXPECT_EQ(attn_feed_take(feed, &pointer), ATTN_SUCCESS);
  expect_refused(attn_feed_fill(feed, &pointer), full);  // one slot is sent, the other is taken
  EXPECT_EQ(attn_feed_take(feed, &pointer), ATTN_SUCCESS);
  expect_refused(attn_feed_take(feed, &pointer), unsent);
  send_one();
  expect_refused(attn_feed_fill(feed, &pointer), full);
  EXPECT_EQ(attn_feed_take(feed, &pointer), ATTN_SUCCESS);
  EXPECT_EQ(attn_feed_destroy(feed), ATTN_SUCCESS);
}

TEST_P(Feeds, RefuseBadArguments) {
  attn_feed_t feed = nullptr;
  const attn_handle_t handle = handle_.get();
  void* pointer = nullptr;
  expect_refused(attn_feed_create(nullptr, 8, 2, &feed), "handle: expected a pointer, got null");
  expect_refused(attn_feed_create(handle, 8, 1, &feed), "slots: expected at least 2, got 1");
  expect_refused(attn_feed_create(handle, 0, 2, &feed), "bytes: expected 1 to 4611686018427387839, got 0");
  expect_refused(attn_feed_create(handle, SIZE_MAX / 2, 2, &feed),
                 "bytes: expected 1 to 4611686018427387839, got 9223372036854775807");
  expect_refused(attn_feed_create(handle, 8, 2, nullptr), "feed: expected a pointer, got null");
  expect_refused(attn_feed_fill(nullptr, &pointer), "feed: expected a pointer, got null");
  expect_refused(attn_feed_send(nullptr, 4), "feed: expected a pointer, got null");
  expect_refused(attn_feed_take(nullptr, &pointer), "feed: expected a pointer, got null");
  EXPECT_EQ(attn_feed_destroy(nullptr), ATTN_SUCCESS);
  EXPECT_EQ(feed, nullptr);

  ASSERT_EQ(attn_feed_create(handle, 65, 2, &feed), ATTN_SUCCESS);
  expect_refused(attn_feed_fill(feed, nullptr), "pointer: expected a pointer, got null");
  expect_refused(attn_feed_take(feed, nullptr), "pointer: expected a pointer, got null");
  ASSERT_EQ(attn_feed_fill(feed, &pointer), ATTN_SUCCESS);
  expect_refused(attn_feed_send(feed, 66), "bytes: expected at most 65, got 66");
  EXPECT_EQ(attn_feed_send(feed, 65), ATTN_SUCCESS);

  ASSERT_EQ(attn_feed_destroy(feed), ATTN_SUCCESS);
  const std::string destroyed = "feed: expected one made by attn_feed_create and not destroyed, got another pointer";
  expect_refused(attn_feed_fill(feed, &pointer), destroyed);
  expect_refused(attn_feed_send(feed, 4), destroyed);
  expect_refused(attn_feed_take(feed, &pointer), destroyed);
  expect_refused(attn_feed_destroy(feed), destroyed);
}

TEST_P(Feeds, AreNotUsedWithoutTheirHandle) {
  attn_handle_t handle = nullptr;
  attn_feed_t feed = nullptr;
  ASSERT_EQ(attn_create(&handle, GetParam().backend), ATTN_SUCCESS);
  ASSERT_EQ(attn_feed_create(handle, 8, 2, &feed), ATTN_SUCCESS);
  ASSERT_EQ(attn_destroy(handle), ATTN_SUCCESS);
  void* pointer = nullptr;
  expect_refused(attn_feed_fill(feed, &pointer),
                 "handle: expected one made by attn_create and not destroyed, got another pointer");
  EXPECT_EQ(attn_feed_destroy(feed), ATTN_SUCCESS);
}

TEST_P(Feeds, ThrowFromTheWrapper) {
  EXPECT_THROW(Feed(handle_, 0), Error);
  Feed feed(handle_, 8);
  EXPECT_THROW(feed.send(4), Error);
  EXPECT_THROW(feed.take(), Error);
  send(feed, {1, 2});
  send(feed, {3, 4});
  EXPECT_THROW(feed.fill(), Error);
}

INSTANTIATE_TEST_SUITE_P(All, Feeds, testing::ValuesIn(targets(kFullStorage)), target_name);

}  // namespace
}  // namespace attn::test

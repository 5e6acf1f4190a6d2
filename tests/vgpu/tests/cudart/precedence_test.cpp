// SPDX-License-Identifier: Apache-2.0
//
// Tests the partial order of operations: which operation comes before which.
#include "cudart/precedence.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace vgpu::cudart {
namespace {

TEST(PrecedenceTest, OnlyAPathOrders) {
  Precedence precedence;
  const Moment first = precedence.next(0, {}, "first");
  const Moment second = precedence.next(0, {&first}, "second");
  const Moment apart = precedence.next(0, {nullptr}, "apart");
  const Moment last = precedence.next(0, {&second, &apart}, "last");
  EXPECT_TRUE(precedence.comes_after(second, first.number));
  EXPECT_FALSE(precedence.comes_after(apart, first.number));
  EXPECT_FALSE(precedence.comes_after(apart, second.number));
  EXPECT_FALSE(precedence.comes_after(second, apart.number));
  for (const Moment* earlier : {&first, &second, &apart}) EXPECT_TRUE(precedence.comes_after(last, earlier->number));
  EXPECT_EQ(precedence.label(apart.number), "apart");
}

TEST(PrecedenceTest, WhatTheHostKnowsComesBeforeAllThatItIssuesFromThenOn) {
  Precedence precedence;
  const Moment done = precedence.next(0, {}, "");
  const Moment issued_before = precedence.next(0, {}, "");
  precedence.host_knows(done);
  const Moment issued_after = precedence.next(0, {}, "");
  EXPECT_FALSE(precedence.comes_after(issued_before, done.number));
  EXPECT_TRUE(precedence.comes_after(issued_after, done.number));
  EXPECT_FALSE(precedence.comes_after(issued_after, issued_before.number));
}

TEST(PrecedenceTest, WaitingForADeviceTellsNothingOfAnother) {
  Precedence precedence;
  const Moment here = precedence.next(0, {}, "");
  const Moment there = precedence.next(1, {}, "");
  precedence.host_knows_all(0);
  const Moment next = precedence.next(0, {}, "");
  EXPECT_TRUE(precedence.comes_after(next, here.number));
  EXPECT_FALSE(precedence.comes_after(next, there.number));
}

TEST(PrecedenceTest, ThePastIsForgottenOnceTheHostKnowsAllOfIt) {
  Precedence precedence;
  const Moment first = precedence.next(0, {}, ""), second = precedence.next(1, {}, "");
  precedence.host_knows(first);
  precedence.all_done();
  EXPECT_EQ(precedence.first(), first.number);
  precedence.host_knows(second);
  precedence.all_done();
  EXPECT_EQ(precedence.first(), second.number + 1);
  const Moment next = precedence.next(0, {&first}, "");
  EXPECT_EQ(next.number, second.number + 1);
  EXPECT_TRUE(precedence.comes_after(next, first.number));
}

// Compares the result with explicit sets of all predecessors.
TEST(PrecedenceTest, RandomGraphs) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Precedence precedence;
    std::vector<Moment> moments;
    std::vector<std::set<std::size_t>> before;
    for (std::size_t i = 0; i < 60; ++i) {
      std::set<std::size_t> past;
      std::vector<std::size_t> after;
      for (std::size_t k = random() % 3; i > 0 && k > 0; --k) after.push_back(random() % i);
      std::vector<const Moment*> pointers;
      for (const std::size_t one : after) {
        pointers.push_back(&moments[one]);
        past.insert(one);
        past.insert(before[one].begin(), before[one].end());
      }
      moments.push_back(precedence.next(0, pointers, ""));
      before.push_back(past);
      for (std::size_t other = 0; other < i; ++other)
        ASSERT_EQ(precedence.comes_after(moments[i], moments[other].number), past.count(other) != 0)
            << i << ", " << other;
    }
  }
}

}  // namespace
}  // namespace vgpu::cudart

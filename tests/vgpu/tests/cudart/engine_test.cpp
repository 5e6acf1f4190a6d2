// SPDX-License-Identifier: Apache-2.0
//
// Tests the order in which operations run: only on demand, and never before their dependencies.
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cudart/engine_test_support.h"
#include "cudart/error.h"

namespace vgpu::cudart {
namespace {

TEST_F(EngineTest, NothingRunsUntilDemanded) {
  Engine engine(mutex_, 0);
  const OperationPtr a = note(engine, 'a', {});
  const OperationPtr b = note(engine, 'b', {a});
  EXPECT_EQ(trace_, "");
  engine.complete(a);
  EXPECT_EQ(trace_, "a");
  EXPECT_FALSE(b->done());
  engine.complete(b);
  EXPECT_EQ(trace_, "ab");
}

TEST_F(EngineTest, DemandRunsAncestorsAndNothingElse) {
  Engine engine(mutex_, 0);
  const OperationPtr a = note(engine, 'a', {});
  const OperationPtr unrelated = note(engine, 'x', {});
  const OperationPtr b = note(engine, 'b', {a});
  const OperationPtr c = note(engine, 'c', {a, nullptr, b});
  engine.complete(c);
  EXPECT_EQ(trace_, "abc");
  EXPECT_FALSE(unrelated->done());
  engine.complete_all(0);
  EXPECT_EQ(trace_, "abcx");
}

TEST_F(EngineTest, LongChainsNeitherRecurseNorTakeForever) {
  Engine engine(mutex_, 0);
  constexpr int kLength = 200000;
  int ran = 0;
  OperationPtr last;
  for (int i = 0; i < kLength; ++i) last = engine.submit(0, {last}, [&ran] { ++ran; });
  engine.complete(last);
  EXPECT_EQ(ran, kLength);
}

TEST_F(EngineTest, EachQueryAdvancesByOneOperation) {
  Engine engine(mutex_, 0);
  const OperationPtr a = note(engine, 'a', {});
  const OperationPtr b = note(engine, 'b', {a});
  EXPECT_FALSE(engine.advance(b));
  EXPECT_EQ(trace_, "a");
  EXPECT_FALSE(engine.advance(b));
  EXPECT_EQ(trace_, "ab");
  EXPECT_TRUE(engine.advance(b));
  EXPECT_TRUE(engine.advance(nullptr));
}

TEST_F(EngineTest, SeedsShuffleWhatIsIndependentAndKeepDependencies) {
  std::set<std::string> traces;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    trace_.clear();
    Engine engine(mutex_, seed);
    const OperationPtr a = note(engine, 'a', {});
    const OperationPtr b = note(engine, 'b', {a});
    note(engine, 'x', {});
    engine.complete(b);
    engine.complete_all(0);
    EXPECT_LT(trace_.find('a'), trace_.find('b')) << trace_;
    EXPECT_EQ(trace_.size(), 3u);
    traces.insert(trace_);
  }
  EXPECT_EQ(traces, (std::set<std::string>{"abx", "axb", "xab"}));
}

TEST_F(EngineTest, FaultDropsTheRestOfItsDevice) {
  Engine engine(mutex_, 0);
  const OperationPtr bad = engine.submit(0, {}, [] { fail(cudaErrorIllegalAddress); });
  const OperationPtr after = note(engine, 'b', {bad});
  const OperationPtr beside_it = note(engine, 'x', {});
  const OperationPtr elsewhere = note(engine, 'e', {after}, 1);
  engine.complete(after);
  EXPECT_EQ(engine.fault(0), cudaErrorIllegalAddress);
  EXPECT_EQ(engine.fault(1), cudaSuccess);
  EXPECT_TRUE(after->done() && beside_it->done());
  engine.complete(elsewhere);
  EXPECT_EQ(trace_, "e");
  engine.reset(0);
  EXPECT_EQ(engine.fault(0), cudaSuccess);
  engine.complete(note(engine, 'n', {}));
  EXPECT_EQ(trace_, "en");
}

TEST_F(EngineTest, ResetUnlinksWhatWaitedForAnotherDevice) {
  Engine engine(mutex_, 0);
  const OperationPtr first = note(engine, 'a', {}, 0);
  note(engine, 'b', {first}, 1);
  engine.reset(1);
  engine.complete(first);
  EXPECT_EQ(trace_, "a");
}

TEST_F(EngineTest, TheMutexIsFreeWhileAnOperationRuns) {
  Engine engine(mutex_, 0);
  bool was_free = false;
  const OperationPtr operation = engine.submit(0, {}, [&] {
    was_free = mutex_.try_lock();
    if (was_free) mutex_.unlock();
  });
  engine.complete(operation);
  EXPECT_TRUE(was_free);
}

TEST_F(EngineTest, WhatIsSubmittedLaterIsNotWaitedFor) {
  Engine engine(mutex_, 0);
  engine.submit(0, {}, [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    note(engine, 'l', {});
  });
  engine.complete_all(0);
  EXPECT_EQ(trace_, "");
  engine.complete_all(0);
  EXPECT_EQ(trace_, "l");
}

TEST_F(EngineTest, WorkThatFindsNoMemoryIsAFault) {
  Engine engine(mutex_, 0);
  engine.complete(engine.submit(0, {}, [] { throw std::bad_alloc(); }));
  EXPECT_EQ(engine.fault(0), cudaErrorMemoryAllocation);
}

TEST_F(EngineTest, ThreadsThatDemandTheSameWorkRunItOnce) {
  Engine engine(mutex_, 0);
  int ran = 0;
  OperationPtr last;
  for (int i = 0; i < 200; ++i) last = engine.submit(0, {last}, [&ran] { ++ran; });
  lock_.unlock();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const std::lock_guard<std::mutex> lock(mutex_);
      engine.complete(last);
      EXPECT_EQ(ran, 200);
    });
  for (std::thread& thread : threads) thread.join();
  lock_.lock();
  EXPECT_EQ(ran, 200);
}

}  // namespace
}  // namespace vgpu::cudart

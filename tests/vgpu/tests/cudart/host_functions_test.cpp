// SPDX-License-Identifier: Apache-2.0
//
// Host functions run in a thread of their own, and run after a delay even if nothing waits for them.
#include <chrono>
#include <future>
#include <thread>

#include "cudart/engine_test_support.h"
#include "cudart/error.h"

namespace vgpu::cudart {
namespace {

class HostFunctions : public EngineTest {};

TEST_F(HostFunctions, OnceStoppedItRunsWhatIsDemandedAndNothingElse) {
  Engine engine(mutex_, 0);
  const auto host = [&](char letter) {
    return engine.submit(
        0, {}, [this, letter] { trace_ += letter; }, Operation::Place::kHost);
  };
  engine.complete(host('a'));
  engine.stop();
  const OperationPtr unasked = host('x');
  lock_.unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  lock_.lock();
  EXPECT_FALSE(unasked->done());
  engine.complete(host('b'));
  EXPECT_EQ(trace_, "ab");
}

TEST_F(HostFunctions, SomeHostFunctionsRunDespiteAFault) {
  Engine engine(mutex_, 0);
  std::promise<void> ran;
  const OperationPtr bad = engine.submit(0, {}, [] { fail(cudaErrorIllegalAddress); });
  const OperationPtr dropped = note(engine, 'd', {bad});
  engine.submit(
      0, {dropped}, [&] { ran.set_value(); }, Operation::Place::kHostDespiteFaults);
  engine.complete(bad);
  lock_.unlock();
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  lock_.lock();
  EXPECT_EQ(trace_, "");
}

TEST_F(HostFunctions, AHostFunctionGetsItsTurnWithoutACall) {
  Engine engine(mutex_, 0);
  std::promise<void> ran;
  const OperationPtr before = note(engine, 'a', {});
  engine.submit(
      0, {before}, [&] { ran.set_value(); }, Operation::Place::kHost);
  note(engine, 'x', {});
  lock_.unlock();
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
  lock_.lock();
  EXPECT_EQ(trace_, "a");
}

TEST_F(HostFunctions, AHostFunctionGetsItsTurnWhateverElseIsCalled) {
  Engine engine(mutex_, 0);
  const OperationPtr done = note(engine, 'd', {});
  engine.complete(done);
  for (const bool issues : {false, true}) {
    std::promise<void> ran;
    std::future<void> future = ran.get_future();
    engine.submit(
        0, {}, [&] { ran.set_value(); }, Operation::Place::kHost);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (future.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      EXPECT_TRUE(engine.advance(done));
      if (issues) note(engine, 'x', {});
      lock_.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      lock_.lock();
    }
  }
  EXPECT_EQ(trace_, "d");
}

TEST_F(HostFunctions, AHostFunctionThatWaitsHoldsUpNothingElse) {
  for (const std::uint64_t seed : {0, 1, 2}) {
    Engine engine(mutex_, seed);
    std::promise<void> begun, go_on;
    const OperationPtr host = engine.submit(
        0, {},
        [&] {
          begun.set_value();
          go_on.get_future().wait();
        },
        Operation::Place::kHost);
    EXPECT_FALSE(engine.advance(host));
    lock_.unlock();
    begun.get_future().wait();
    lock_.lock();
    trace_.clear();
    engine.complete(note(engine, 'a', {}));
    EXPECT_EQ(trace_, "a");
    EXPECT_FALSE(engine.advance(host));
    go_on.set_value();
    engine.complete(host);
    EXPECT_TRUE(host->done());
  }
}

}  // namespace
}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// Handles used by several threads at the same time, and callers that are OpenMP threads themselves.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <thread>

#include "encoder/lstm_run.h"

namespace attn::test {
namespace {

constexpr int kCallers = 2;
constexpr int kRepeats = 20;

// Both callers use primitives of the same shape, which oneDNN shares between them.
TEST(Concurrency, TwoHandlesGiveTheBitsOfOne) {
  const LstmShape shape = {18, 12, 20, 16};
  const LstmCase given(shape, true);
  RunOptions options;
  for (const int threads : {1, 2, 3}) {
    options.threads = threads;
    const LstmResult alone = run(given, options);
    int same[kCallers] = {};
    const auto call = [&](int caller) {
      Handle handle;
      handle.set_threads(threads);
      LstmRun plan(handle, shape, Training::yes);
      for (int repeat = 0; repeat < kRepeats; ++repeat) same[caller] += same_bits(plan(given), alone);
    };
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) callers.emplace_back(call, caller);
    for (std::thread& caller : callers) caller.join();
    for (const int count : same) EXPECT_EQ(count, kRepeats) << threads;
  }
}

// Inside a parallel region the library gets one thread, regardless of how many it requests.
TEST(Concurrency, CallsFromAParallelRegionGiveTheSameBits) {
  const LstmCase given({18, 12, 20, 16}, true);
  RunOptions options;
  for (const int threads : {1, 2, 3}) {
    options.threads = threads;
    const LstmResult alone = run(given, options);
    int same = 0;
#pragma omp parallel num_threads(kCallers) reduction(+ : same)
    same += same_bits(run(given, options), alone);
    EXPECT_EQ(same, kCallers) << threads;
  }
}

TEST(Concurrency, TheCallersThreadCountIsLeftAlone) {
  omp_set_num_threads(5);
  run(LstmCase({4, 3, 2, 1}, false), {});
  EXPECT_EQ(omp_get_max_threads(), 5);
}

// Results are right, or the call reports that the plan is in use.
TEST(Concurrency, OnePlanInTwoThreadsIsRefusedOrRight) {
  const LstmShape shape = {18, 12, 20, 16};
  const LstmCase given(shape, true);
  const Handle handle = make_handle({});
  LstmRun plan(handle, shape, Training::no);
  const LstmResult alone = plan(given);
  std::atomic<int> right{0}, refused{0};
  const auto call = [&] {
    for (int repeat = 0; repeat < 10 * kRepeats; ++repeat) try {
        right += same_bits(plan(given), alone);
      } catch (const Error& error) {
        refused += std::string(error.what()).find("plan: expected one that no other thread uses") != std::string::npos;
      }
  };
  std::thread first(call), second(call);
  first.join();
  second.join();
  EXPECT_EQ(right + refused, 20 * kRepeats);
  EXPECT_GT(right, 0);
  EXPECT_GT(refused, 0);
}

std::ptrdiff_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// No other thread may be started even inside oneDNN, which otherwise uses all threads that OpenMP offers. Such threads
// exist only during a call.
TEST(Concurrency, AHandleOfOneThreadStartsNoOther) {
  std::atomic<bool> done{false};
  std::thread caller([&] {
    omp_set_num_threads(4);
    RunOptions options;
    options.threads = 1;
    const LstmCase given({32, 8, 64, 64}, false);
    for (int repeat = 0; repeat < kRepeats; ++repeat) run(given, options);
    done = true;
  });
  const std::ptrdiff_t before = threads_of_this_process();
  std::ptrdiff_t most = before;
  while (!done) most = std::max(most, threads_of_this_process());
  caller.join();
  EXPECT_EQ(most, before);
}

}  // namespace
}  // namespace attn::test

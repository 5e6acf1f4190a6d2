// SPDX-License-Identifier: Apache-2.0
//
// An application may handle signals in any thread at any time. Here a thread sends every other thread of the process a
// signal a thousand times a second while LSTM, projected attention and the recurrent encoder compute. Every handler
// must run on the stack of its thread, and the results must keep their bits. If a call used its stack pointer for
// something else, as oneDNN's matrix products do, the kernel would put the handler's frame there, over tensors or the
// heap's own records.
#include <omp.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "encoder/lstm_run.h"
#include "encoder/projected_run.h"
#include "encoder/recurrent_run.h"

namespace attn::test {
namespace {

constexpr int kSignal = SIGUSR1;

// The stack addresses of the handlers, in the order in which they ran. Handlers beyond the capacity are only counted.
constexpr std::size_t kMostRecorded = 1 << 17;
std::array<std::atomic<std::uintptr_t>, kMostRecorded> frames;
std::atomic<std::size_t> handled{0};

extern "C" void handle(int) {
  const char local = 0;
  const std::size_t index = handled++;
  if (index < kMostRecorded) frames[index] = reinterpret_cast<std::uintptr_t>(&local);
}

struct Stack {
  std::uintptr_t begin = 0, end = 0;

  bool contains(std::uintptr_t address) const { return begin <= address && address < end; }

  static Stack of_this_thread() {
    pthread_attr_t attributes;
    void* lowest = nullptr;
    std::size_t bytes = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &lowest, &bytes);
    pthread_attr_destroy(&attributes);
    const auto begin = reinterpret_cast<std::uintptr_t>(lowest);
    return {begin, begin + bytes};
  }
};

constexpr int kMostThreads = 2;

// The stacks of this thread and of OpenMP's. OpenMP uses the same threads in all parallel regions, and those that a
// smaller region does not use are idle.
std::vector<Stack> stacks_of_team() {
  std::vector<Stack> stacks(kMostThreads);
#pragma omp parallel num_threads(kMostThreads)
  stacks[static_cast<std::size_t>(omp_get_thread_num())] = Stack::of_this_thread();
  return stacks;
}

// Sends kSignal to every other thread of this process once a millisecond during its lifetime. The handler remains
// installed afterwards, because a signal may still be pending in a thread that waits for a core.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;
    sigaction(kSignal, &action, nullptr);
    handled = 0;
    sender_ = std::thread([this] { send(); });
  }
  ~SignalStorm() {
    done_ = true;
    sender_.join();
  }
  SignalStorm(const SignalStorm&) = delete;
  SignalStorm& operator=(const SignalStorm&) = delete;

 private:
  void send() const {
    const pid_t self = gettid();
    while (!done_) {
      for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        const pid_t thread = std::stoi(task.path().filename().string());
        if (thread != self) syscall(SYS_tgkill, getpid(), thread, kSignal);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> done_{false};
  std::thread sender_;
};

RunOptions on_threads(int threads) {
  RunOptions options;
  options.threads = threads;
  return options;
}

using test::same_bits;  // overloads for vectors and for LSTM results

bool same_bits(const ProjectedResult& a, const ProjectedResult& b) {
  bool same = same_bits(a.o, b.o) && same_bits(a.weights, b.weights);
  for (int i = 0; i < 6; ++i) same = same && same_bits(a.gradient(i), b.gradient(i));
  return same;
}

bool same_bits(const RecurrentResult& a, const RecurrentResult& b) {
  bool same = same_bits(a.o, b.o) && same_bits(a.weights, b.weights) && same_bits(a.d_x, b.d_x);
  for (const auto& [name, values] : a.d_parameters) same = same && same_bits(values, b.d_parameters.at(name));
  return same;
}

// Calls `call`, which runs forward and backward, `repeats` times while signals arrive.
template <class Result, class Call>
void expect_unharmed_by_signals(const Result& alone, int repeats, const Call& call) {
  const std::vector<Stack> stacks = stacks_of_team();
  int different = 0;
  {
    const SignalStorm storm;
    for (int repeat = 0; repeat < repeats; ++repeat) different += !same_bits(call(), alone);
  }
  EXPECT_EQ(different, 0);
  const std::size_t recorded = std::min(handled.load(), kMostRecorded);
  EXPECT_GT(recorded, 100U) << "handlers that ran";
  const auto elsewhere = std::count_if(frames.begin(), frames.begin() + recorded, [&](std::uintptr_t frame) {
    return std::none_of(stacks.begin(), stacks.end(), [&](const Stack& stack) { return stack.contains(frame); });
  });
  EXPECT_EQ(elsewhere, 0) << "of " << recorded << " handlers ran on what is no thread's stack";
}

class Signals : public testing::TestWithParam<int> {};  // the parameter is the number of threads

TEST_P(Signals, LeaveTheBitsOfAnLstmAlone) {
  const RunOptions options = on_threads(GetParam());
  const Handle handle = make_handle(options);
  const LstmCase given({32, 20, 128, 64, 2}, true);
  LstmRun plan(handle, {32, 20, 128, 64, 2}, Training::yes);
  expect_unharmed_by_signals(plan(given, options), 60, [&] { return plan(given, options); });
}

// The weight gradients are products over B T = 1600 rows, during which oneDNN is most exposed to signals.
TEST_P(Signals, LeaveTheBitsOfProjectedAttentionAlone) {
  const RunOptions options = on_threads(GetParam());
  const ProjectedCase given({8, 2, 200, 64, 64, 32, false}, false);
  expect_unharmed_by_signals(run(given, options), 150, [&] { return run(given, options); });
}

TEST_P(Signals, LeaveTheBitsOfTheRecurrentEncoderAlone) {
  attn_recurrent_desc_t desc{};
  desc.struct_size = sizeof desc;
  desc.B = 8, desc.T = 40, desc.E = 32, desc.H = 32;
  desc.layers = 2, desc.directions = 2, desc.dropout = 0.25F, desc.training = 1;
  desc.attention = ATTN_ATTENTION_ADDITIVE;
  desc.Q = 2, desc.A = 32, desc.P = 16;
  const RecurrentCase given(desc, {});
  RecurrentRun plan(on_threads(GetParam()), desc);
  expect_unharmed_by_signals(plan(given), 100, [&] { return plan(given); });
}

INSTANTIATE_TEST_SUITE_P(Threads, Signals, testing::Values(1, kMostThreads));

}  // namespace
}  // namespace attn::test

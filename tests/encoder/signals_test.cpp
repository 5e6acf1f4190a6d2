// SPDX-License-Identifier: Apache-2.0
//
// A host may handle signals in any thread at any time. A thread sends every thread of this process a signal a thousand
// times a second while LSTM, projected attention and the recurrent encoder compute; their results keep their bits. The
// handler writes to its stack as handlers do: where a call computes with its stack pointer in the heap, that destroys
// tensors or the heap's own records.
#include <sys/syscall.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "encoder/lstm_run.h"
#include "encoder/projected_run.h"
#include "encoder/recurrent_run.h"

namespace attn::test {
namespace {

constexpr int kSignal = SIGUSR1;
std::atomic<std::int64_t> handled{0};

extern "C" void handle(int) {
  volatile char stack[2048];
  for (volatile char& byte : stack) byte = 0x5a;
  ++handled;
}

// Sends kSignal to every other thread of this process, once a millisecond, for as long as it lives. The handler stays
// installed: a signal may still be pending in a thread that waits for a core.
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

using test::same_bits;  // of vectors and of an LSTM's results

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

// Calls `call`, which runs forward and backward, again and again under fire; counts results with other bits than `alone`.
template <class Result, class Call>
void expect_same_bits_under_signals(const Result& alone, int repeats, const Call& call) {
  int different = 0;
  const SignalStorm storm;
  for (int repeat = 0; repeat < repeats; ++repeat) different += !same_bits(call(), alone);
  EXPECT_EQ(different, 0);
  EXPECT_GT(handled, 100) << "signals that reached a thread";
}

class Signals : public testing::TestWithParam<int> {};  // threads

TEST_P(Signals, LeaveTheBitsOfAnLstmAlone) {
  const RunOptions options = on_threads(GetParam());
  const Handle handle = make_handle(options);
  const LstmCase given({8, 40, 32, 32, 2}, true);
  LstmRun plan(handle, {8, 40, 32, 32, 2}, Training::yes);
  expect_same_bits_under_signals(plan(given, options), 300, [&] { return plan(given, options); });
}

// The weight gradients are products over B T = 1600 rows, where oneDNN is most exposed.
TEST_P(Signals, LeaveTheBitsOfProjectedAttentionAlone) {
  const RunOptions options = on_threads(GetParam());
  const ProjectedCase given({8, 2, 200, 64, 64, 32, false}, false);
  expect_same_bits_under_signals(run(given, options), 150, [&] { return run(given, options); });
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
  expect_same_bits_under_signals(plan(given), 100, [&] { return plan(given); });
}

INSTANTIATE_TEST_SUITE_P(Threads, Signals, testing::Values(1, 2));

}  // namespace
}  // namespace attn::test

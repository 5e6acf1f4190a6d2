// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/interrupt.h"

#include <array>
#include <csignal>

namespace attn::classifier {
namespace {

volatile std::sig_atomic_t received = 0;

extern "C" void on_interrupt(int signal) { received = signal; }

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, kSignals.size()> former;

}  // namespace

InterruptGuard::InterruptGuard() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &former[i]);
    if (former[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former[i], nullptr);
}

bool InterruptGuard::requested() { return received != 0; }

int InterruptGuard::exit_status() { return 128 + received; }

}  // namespace attn::classifier

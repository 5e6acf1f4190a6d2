// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attn::classifier {

// While an InterruptGuard exists, the first SIGINT (Ctrl-C), SIGTERM or SIGHUP only sets a flag, which long loops check
// between steps. A second one of the same kind ends the process as usual. A signal that the parent process chose to
// ignore, as nohup does, stays ignored. Only one guard may exist at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
  // The exit status of a program that the signal ended, as shells report it: 128 and the signal's number.
  static int exit_status();
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attn::classifier {

// While an InterruptGuard exists, the first SIGINT (Ctrl-C) or SIGTERM only sets a flag, which long loops check between
// steps. A second one ends the process as usual.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attn {

// While it lives, the first Ctrl-C (or SIGTERM) only raises a flag that long work looks at between steps; a second one
// ends the process as usual.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
};

}  // namespace attn

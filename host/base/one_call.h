// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "base/validate.h"

namespace attn::internal {

// For its lifetime, a call uses the object that `busy` belongs to. Rejects a second call that another thread makes
// meanwhile: both would write to the same memory.
class OneCall {
 public:
  OneCall(const char* argument, std::atomic<bool>& busy) : busy_(busy) {
    if (busy.exchange(true, std::memory_order_acquire)) reject(argument, "one that no other thread uses", "one in use");
  }
  ~OneCall() { busy_.store(false, std::memory_order_release); }
  OneCall(const OneCall&) = delete;
  OneCall& operator=(const OneCall&) = delete;

 private:
  std::atomic<bool>& busy_;
};

}  // namespace attn::internal

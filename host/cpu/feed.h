// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/backend.h"

namespace attn::internal::cpu {

// Calls have ended when they return, so a batch is where it is wanted as soon as it is written.
class CpuFeedSlots final : public FeedSlots {
 public:
  using Memory = std::unique_ptr<void, void (*)(void*)>;

  CpuFeedSlots(Memory memory, std::size_t bytes) : memory_(std::move(memory)), bytes_(bytes) {}

  void* fill(int slot) override { return place(slot); }
  void send(int, std::size_t) override {}
  void* take(int slot, void*) override { return place(slot); }
  void give_back(int, void*) override {}

 private:
  void* place(int slot) const {
    return static_cast<std::byte*>(memory_.get()) + bytes_ * static_cast<std::size_t>(slot);
  }

  Memory memory_;
  std::size_t bytes_;  // of a slot
};

}  // namespace attn::internal::cpu

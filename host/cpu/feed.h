// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/backend.h"

namespace attn::internal::cpu {

// Host and device memory are the same and calls are synchronous, so nothing is copied and nothing has to wait.
class CpuFeedSlots final : public FeedSlots {
 public:
  using Memory = std::unique_ptr<void, void (*)(void*)>;

  CpuFeedSlots(Memory memory, std::size_t bytes) : memory_(std::move(memory)), bytes_(bytes) {}

  void* host_memory(int slot) override { return place(slot); }
  void copy_to_device(int, std::size_t) override {}
  void* device_memory(int slot, void*) override { return place(slot); }
  void release(int, void*) override {}

 private:
  void* place(int slot) const {
    return static_cast<std::byte*>(memory_.get()) + bytes_ * static_cast<std::size_t>(slot);
  }

  Memory memory_;
  std::size_t bytes_;  // of a slot
};

}  // namespace attn::internal::cpu

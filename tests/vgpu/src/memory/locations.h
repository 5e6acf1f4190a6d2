// SPDX-License-Identifier: Apache-2.0
//
// What was released at which place in memory: whoever reads there with a strong access learns of it. Releases at one place
// add up; that a plain overwrite would end them is not modelled, so that no reader is told too little.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "memory/clocks.h"

namespace vgpu {

class Locations {
 public:
  void release(std::uint64_t word, std::uint32_t block, const std::shared_ptr<const BlockPast>& past,
               const GridPast* others);
  std::shared_ptr<const GridPast> at(std::uint64_t word) const;  // null: nothing
  bool empty() const { return empty_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<GridPast>> released_;
  std::atomic<bool> empty_{true};
};

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// The clocks that were released at each word of memory, which strong reads of the word acquire. Releases at one word
// accumulate. In PTX a plain write ends a release sequence; this is not modelled, so a reader may acquire too much but
// never too little.
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
  std::shared_ptr<const GridPast> at(std::uint64_t word) const;  // null if nothing was released
  bool empty() const { return empty_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<GridPast>> released_;
  std::atomic<bool> empty_{true};
};

}  // namespace vgpu

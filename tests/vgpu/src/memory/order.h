// SPDX-License-Identifier: Apache-2.0
//
// What the threads of a block know of each other's past, and of other blocks'. These order accesses:
//
//   - program order of one thread;
//   - lanes that meet at bar.warp.sync or another instruction with .sync and a member mask;
//   - barriers of the block, named and counted ones too: who arrives releases, who waits acquires;
//   - a strong write (.release, .relaxed, .volatile, atomics, mbarrier operations) and a strong read of the same 4 bytes that
//     comes later. One with .release releases all that its thread knows; one without, what some lane of its warp knew when it
//     passed a fence, or a warp that it has met at a barrier since. Every strong read acquires, with a fence or without.
//     Scopes are not told apart.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "memory/clocks.h"
#include "memory/locations.h"

namespace vgpu {

class Order {
 public:
  // Asynchronous copies write as a warp of their own, number `warps`.
  Order(std::uint32_t block, unsigned warps);

  std::uint32_t block() const { return block_; }
  unsigned copier() const { return static_cast<unsigned>(warps_.size()) - 1; }
  Time now(unsigned warp) const { return warps_[warp].now; }
  const Past& past(unsigned warp, unsigned lane) const {
    const Knowledge& of = warps_[warp];
    return (of.ahead >> lane & 1) != 0 ? *of.each[lane] : of.common;
  }

  // `alive`: the lanes of the warp that have not ended; what ended lanes did counts as known where all others meet.
  void meet(unsigned warp, LaneSet lanes, LaneSet alive);
  void fence(unsigned warp, LaneSet lanes);

  // A warp whose lanes have met comes to a barrier of the block; goes on there; and all have gone on.
  void arrive(unsigned warp, unsigned barrier);
  void pass(unsigned warp, unsigned barrier);
  void reset(unsigned barrier);

  // tick() after the releases of an instruction: what follows is not released.
  void release(unsigned warp, unsigned lane, Locations& locations, std::uint64_t word, bool relaxed);
  void tick(unsigned warp) { ++warps_[warp].now; }
  void acquire(unsigned warp, LaneSet lanes, LaneSet alive, const Locations& locations, std::uint64_t word);

 private:
  struct Released {
    const Locations* locations = nullptr;
    std::uint64_t word = 0;
    std::shared_ptr<const BlockPast> fenced;
    std::shared_ptr<const GridPast> others;
    bool operator==(const Released& other) const {
      return locations == other.locations && word == other.word && fenced == other.fenced && others == other.others;
    }
  };
  struct Knowledge {
    Time now = 1;
    Past common;        // what every lane knows
    LaneSet ahead = 0;  // lanes that know more:
    std::vector<std::shared_ptr<const Past>> each;
    // What a fence found done, of this warp or of those it met at a barrier since; null: no fence yet.
    std::shared_ptr<const BlockPast> fenced;
    std::shared_ptr<const GridPast> last_acquired;
    LaneSet last_lanes = 0;
    Released last_released;  // by a relaxed write
  };
  struct Barrier {
    Past past;
    std::shared_ptr<const BlockPast> fenced;
  };

  void meet_all(unsigned warp);
  void meet_some(unsigned warp, LaneSet lanes);

  std::uint32_t block_;
  std::vector<Knowledge> warps_;
  std::array<Barrier, 16> barriers_;
};

}  // namespace vgpu

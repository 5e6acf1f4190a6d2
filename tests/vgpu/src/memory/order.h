// SPDX-License-Identifier: Apache-2.0
//
// The happens-before relation between the threads of a block, and what they have learned of other blocks. Accesses are
// ordered by:
//
// - the program order of one thread;
// - bar.warp.sync and other instructions with .sync and a member mask, between the member lanes;
// - barriers of the block, including named and counted ones: arriving releases, waiting acquires;
// - a strong write (.release, .relaxed, .volatile, atomics, mbarrier operations) and a later strong read of the same 4
//   bytes. A write with .release releases the clock of its thread. A strong write without .release releases the clock
//   that some lane of its warp, or of a warp that it has since met at a barrier, had at a fence. Every strong read
//   acquires, with or without a fence. Scopes are not distinguished.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "memory/clocks.h"
#include "memory/locations.h"

namespace vgpu {

class Order {
 public:
  // Asynchronous copies count as an additional warp, number `warps`.
  Order(std::uint32_t block, unsigned warps);

  std::uint32_t block() const { return block_; }
  unsigned copier() const { return static_cast<unsigned>(warps_.size()) - 1; }
  Time now(unsigned warp) const { return warps_[warp].now; }
  const Past& past(unsigned warp, unsigned lane) const {
    const Knowledge& of = warps_[warp];
    return (of.ahead >> lane & 1) != 0 ? *of.each[lane] : of.common;
  }

  // `alive` are the lanes of the warp that have not exited. When all of these meet, the accesses of exited lanes become
  // known as well.
  void meet(unsigned warp, LaneSet lanes, LaneSet alive);
  void fence(unsigned warp, LaneSet lanes);

  // Barriers of the block. A warp whose lanes have met arrives (arrive) and continues when the barrier has completed
  // (pass). When all warps have continued, the barrier can be reused (reset).
  void arrive(unsigned warp, unsigned barrier);
  void pass(unsigned warp, unsigned barrier);
  void reset(unsigned barrier);

  // tick() must be called after the releases of an instruction, so that they do not cover later accesses.
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
    Past common;        // the clock of all lanes except
    LaneSet ahead = 0;  // these, which know more:
    std::vector<std::shared_ptr<const Past>> each;
    // The clock at the last fence of this warp, or of warps that it has met at a barrier since. Null before any fence.
    std::shared_ptr<const BlockPast> fenced;
    std::shared_ptr<const GridPast> last_acquired;
    LaneSet last_lanes = 0;
    Released last_released;  // by a relaxed write, to skip repeated releases
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

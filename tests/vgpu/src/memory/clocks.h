// SPDX-License-Identifier: Apache-2.0
//
// Vector clocks with one component per warp. Each warp of each block has its own time, which advances when the warp
// synchronises. An access happened before another one if the clock of the second thread covers the time of the first
// access.
//
// The lanes of a warp mostly have the same clock. A component therefore consists of one time that holds for all lanes
// of the other warp, and a later one that holds for some of them. If the union of two components does not fit this
// form, it is rounded up: a race may be missed, but none is reported that does not exist.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vgpu {

using LaneSet = std::uint32_t;  // bit i: lane i
using Time = std::uint32_t;

// One component of a clock, which says which accesses of a warp are known.
struct Seen {
  Time all = 0;   // all accesses of all lanes before this time are known,
  Time some = 0;  // and those of `lanes` before this time
  LaneSet lanes = 0;

  bool covers(Time time, LaneSet who) const { return time < all || (time < some && (who & ~lanes) == 0); }
  bool includes(const Seen& other) const {
    return other.all <= all && (other.some <= all || (other.some <= some && (other.lanes & ~lanes) == 0));
  }
  void join(const Seen& other);
};

using BlockPast = std::vector<Seen>;  // by warp

void join(BlockPast& past, const BlockPast& other);
bool includes(const BlockPast& past, const BlockPast& other);

// The clocks of several blocks. Copies share the parts that have not changed.
class GridPast {
 public:
  const BlockPast* of(std::uint32_t block) const;  // null if nothing is known
  bool includes(std::uint32_t block, const BlockPast& past) const;
  bool includes(const GridPast& other, std::uint32_t without = kNoBlock) const;
  void join(std::uint32_t block, const std::shared_ptr<const BlockPast>& past);
  void join(const GridPast& other, std::uint32_t without = kNoBlock);

  static constexpr std::uint32_t kNoBlock = 0xffffffffu;

 private:
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const BlockPast>>> blocks_;  // by block
};

// The clock of a thread.
struct Past {
  BlockPast own;                           // of the thread's own block
  std::shared_ptr<const GridPast> others;  // of other blocks; null if nothing is known

  void join(const Past& other);
  void join(const GridPast& released, std::uint32_t own_block);
};

}  // namespace vgpu

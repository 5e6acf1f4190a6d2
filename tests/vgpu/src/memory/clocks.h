// SPDX-License-Identifier: Apache-2.0
//
// Who knows of whose past: vector clocks, by warp. Each warp of each block has a time of its own, which moves on where the
// warp synchronises; an access happened before another if the thread of the second knows of the first one's time.
//
// Lanes of a warp mostly know the same, so what is known of a warp is one time for all its lanes, and a later one for some.
// Where two such pieces of knowledge do not fit into that form, their union is rounded up: a race may be missed, none is
// made up.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vgpu {

using LaneSet = std::uint32_t;  // bit i: lane i
using Time = std::uint32_t;

// What is known of one warp.
struct Seen {
  Time all = 0;   // whatever any lane did before this,
  Time some = 0;  // and what `lanes` did before this
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

// What is known of several blocks; what does not change is shared.
class GridPast {
 public:
  const BlockPast* of(std::uint32_t block) const;  // null: nothing
  bool includes(std::uint32_t block, const BlockPast& past) const;
  bool includes(const GridPast& other, std::uint32_t without = kNoBlock) const;
  void join(std::uint32_t block, const std::shared_ptr<const BlockPast>& past);
  void join(const GridPast& other, std::uint32_t without = kNoBlock);

  static constexpr std::uint32_t kNoBlock = 0xffffffffu;

 private:
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const BlockPast>>> blocks_;  // by block
};

// What a thread knows.
struct Past {
  BlockPast own;                           // of its block
  std::shared_ptr<const GridPast> others;  // of other blocks; null: nothing

  void join(const Past& other);
  void join(const GridPast& released, std::uint32_t own_block);
};

}  // namespace vgpu

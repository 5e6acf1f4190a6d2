// SPDX-License-Identifier: Apache-2.0
//
// Finds launches that never end: each warp waits at a barrier, or repeats a loop that only reads memory that nothing
// changes.
//
// This is a proof, not a timeout. If a warp has the same program counters, registers and local memory twice, and no
// memory changed in between, it repeats itself for as long as no memory changes; if that holds for all warps of a
// launch, no memory ever changes. Memory that the host reaches (managed, pinned) is exempt, since the host may change
// it at any time. A loop whose registers differ from round to round, such as one that counts its rounds, cannot be
// proved endless. A launch in which all warps do nothing but read the same locations is given up after about 7e7
// instructions.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/access.h"
#include "exec/block.h"
#include "exec/launch.h"

namespace vgpu {

// Remembers what a warp has read last.
class Observer {
 public:
  void saw(const Warp& warp, const Access& access, unsigned lane, const Allocation* allocation);

  bool host_can_answer() const { return host_can_answer_; }
  // Returns the finding for a loop in which the warp keeps reading the observed location.
  Finding finding(const Block& block, const Warp& warp) const;

 private:
  std::string place_text() const;

  const Code* code_ = nullptr;  // null if nothing was read
  unsigned lane_ = 0;
  std::uint64_t address_ = 0;  // for shared memory, the offset
  std::uint32_t bytes_ = 0;
  const std::byte* host_ = nullptr;
  const Allocation* allocation_ = nullptr;  // null for shared memory
  bool host_can_answer_ = false;
};

// The state through which the workers of a launch inform each other.
class StallState {
 public:
  explicit StallState(unsigned workers) : stalled_at_(workers) {}

 private:
  friend class StallWatch;
  bool all_stalled_at(std::uint64_t progress) const;

  std::atomic<std::uint64_t> progress_{1};  // incremented when a block has changed something
  // By worker: the progress at which none of its blocks could continue.
  std::vector<std::atomic<std::uint64_t>> stalled_at_;
};

// The detection of stalls in one worker.
class StallWatch {
 public:
  using Blocks = std::deque<std::unique_ptr<Block>>;

  StallWatch(StallState& state, unsigned worker) : state_(state), worker_(worker) {}
  ~StallWatch() { state_.stalled_at_[worker_] = kGone; }
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  // Must be called after each turn of a block, whether the block has ended or is now the last of `resident`. `waits`
  // says that all warps of the block wait, as far as the block can tell. `more` says that there are blocks which no
  // worker has begun. Returns a finding if the launch has stalled.
  std::optional<Finding> after_turn(Block& block, const Blocks& resident, bool waits, bool more);

 private:
  friend class StallState;
  static constexpr std::uint64_t kGone = ~std::uint64_t{0};

  bool cannot_go_on(const Blocks& resident);
  bool is_out_of_patience(const Blocks& resident) const;

  StallState& state_;
  unsigned worker_;
  std::uint64_t progress_ = 0;         // the progress when the following members were reset
  std::uint64_t executed_before_ = 0;  // by the resident blocks
  std::size_t turns_ = 0, turns_waiting_ = 0;
  std::size_t next_attempt_ = 0;    // as a number of turns
  std::optional<Finding> finding_;  // about a warp that loops
};

}  // namespace vgpu

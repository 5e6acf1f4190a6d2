// SPDX-License-Identifier: Apache-2.0
//
// Finds launches that never end: each warp waits at a barrier, or repeats a loop that only reads memory that nothing changes.
//
// This is a proof, not a timeout. If a warp has the same program counters, registers and local memory twice, and no memory
// changed in between, it repeats itself for as long as no memory changes; if that holds for all warps of a launch, no memory
// ever changes. Memory that the host reaches (managed, pinned) is exempt, since the host may change it at any time. A loop
// whose registers differ from round to round, such as one that counts its rounds, cannot be proved endless; a launch in which
// which all warps do nothing but read the same places is given up after some 7e7 instructions.
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

// Remembers what a warp read last.
class Observer {
 public:
  void saw(const Warp& warp, const Access& access, unsigned lane, const Allocation* allocation);

  bool host_can_answer() const { return host_can_answer_; }
  // The finding for a loop of the warp that reads this.
  Finding finding(const Block& block, const Warp& warp) const;

 private:
  std::string place_text() const;

  const Code* code_ = nullptr;  // null: nothing was read
  unsigned lane_ = 0;
  std::uint64_t address_ = 0;  // an offset in shared memory
  std::uint32_t bytes_ = 0;
  const std::byte* host_ = nullptr;
  const Allocation* allocation_ = nullptr;  // null: shared memory
  bool host_can_answer_ = false;
};

// What the workers of a launch tell each other.
class StallState {
 public:
  explicit StallState(unsigned workers) : stalled_at_(workers) {}

 private:
  friend class StallWatch;
  bool all_stalled_at(std::uint64_t progress) const;

  std::atomic<std::uint64_t> progress_{1};              // grows when a block has changed something
  std::vector<std::atomic<std::uint64_t>> stalled_at_;  // by worker: the progress at which none of its blocks can go on
};

// One worker's part in it.
class StallWatch {
 public:
  using Blocks = std::deque<std::unique_ptr<Block>>;

  StallWatch(StallState& state, unsigned worker) : state_(state), worker_(worker) {}
  ~StallWatch() { state_.stalled_at_[worker_] = kGone; }
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  // To be called after each turn of a block, whether it has ended or is the last of `resident` now. `waits`: as far as the
  // block can tell, all of its warps wait. `more`: there are blocks that no worker has begun. Returns a finding where the
  // launch has stalled.
  std::optional<Finding> after_turn(Block& block, const Blocks& resident, bool waits, bool more);

 private:
  friend class StallState;
  static constexpr std::uint64_t kGone = ~std::uint64_t{0};

  bool cannot_go_on(const Blocks& resident);
  bool is_out_of_patience(const Blocks& resident) const;

  StallState& state_;
  unsigned worker_;
  std::uint64_t progress_ = 0;         // when the following were reset
  std::uint64_t executed_before_ = 0;  // by the resident blocks
  std::size_t turns_ = 0, turns_waiting_ = 0;
  std::size_t next_attempt_ = 0;    // in turns
  std::optional<Finding> finding_;  // of a warp that goes round in a loop
};

}  // namespace vgpu

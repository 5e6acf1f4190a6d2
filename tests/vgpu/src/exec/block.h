// SPDX-License-Identifier: Apache-2.0
//
// A thread block with its warps, shared memory and barriers, and the grid that it belongs to.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "exec/async_copies.h"
#include "exec/checks.h"
#include "exec/launch.h"
#include "exec/program.h"
#include "exec/warp.h"
#include "memory/shared_memory.h"

namespace vgpu {

// Thrown when a kernel commits a fault, which ends the launch.
struct Fault {
  Finding finding;
};

std::string hexadecimal(std::uint64_t value);  // "0x1f"

// The state that all blocks of a launch share.
struct Grid {
  const Launch* launch;
  Program* program;
  const Function* kernel;
  std::uint64_t id;  // number of the launch in this process, from 1
  // The releases in global memory, by which threads synchronise.
  std::unique_ptr<Locations> released = std::make_unique<Locations>();
  std::uint64_t workspace = 0;  // in a cooperative grid: the address of its barrier

  std::size_t own_shared() const { return program->static_shared(launch->kernel) + launch->dynamic_shared; }
  std::size_t reserved_shared_begin() const { return (own_shared() + 15) / 16 * 16; }
};

class Block {
 public:
  Block(const Grid& grid, std::uint64_t index);

  enum class Status : std::uint8_t { kRunning, kWaiting, kDone };
  // Executes about `budget` instructions. Returns kWaiting if all warps seem to wait for another block. Throws Fault.
  Status run(std::uint64_t budget);
  std::uint64_t executed() const { return executed_; }  // number of instructions so far, counted once per warp

  // ---- for handlers -----------------------------------------------------------------------------------------------

  const Grid& grid() const { return *grid_; }
  const Launch& launch() const { return *grid_->launch; }
  std::uint64_t index() const { return index_; }
  const std::array<std::uint32_t, 3>& coordinates() const { return coordinates_; }
  SharedMemory& shared() { return shared_; }
  AsyncCopies& copies() { return copies_; }
  Checks& checks() { return checks_; }
  Counters& counters() { return counters_; }
  std::string& printed() { return printed_; }
  const std::string& printed() const { return printed_; }
  std::vector<std::unique_ptr<Warp>>& warps() { return warps_; }

  // Records a change that other threads can observe: in memory, at a barrier, or in the number of running threads.
  void note_change() { ++changes_; }
  std::uint64_t changes() const { return changes_; }
  // Returns whether anything has changed since the last call.
  bool take_changed() { return std::exchange(last_taken_, changes_) != changes_; }

  struct Barrier {
    unsigned arrived = 0;                   // threads that have arrived in this phase, in multiples of the warp size
    unsigned expected = 0;                  // 0: all threads of the block
    std::vector<unsigned> members;          // warps that wait for this phase to complete
    unsigned votes_for = 0, votes = 0;      // in this phase: lanes whose predicate was true, and all lanes
    unsigned last_for = 0, last_votes = 0;  // the same for the phase that completed last
  };
  // All lanes of the warp arrive at the barrier; `waits` says whether they also wait. The phase is completed by the
  // arrival of `expected` threads (0: all of the block). Returns true if this arrival completed the phase; the waiting
  // warps have then been woken.
  bool arrive(Warp& warp, unsigned barrier, bool waits, unsigned expected, unsigned votes_for, unsigned votes);
  const Barrier& barrier(unsigned id) const { return barriers_[id]; }

  // Makes a finding about an instruction; `lane` is the thread to name.
  Finding finding(const Warp& warp, unsigned lane, const Code& code, Finding::Kind kind, const std::string& what) const;
  // Throws a Fault for the current instruction of the warp.
  [[noreturn]] void fail(const Warp& warp, unsigned lane, Finding::Kind kind, const std::string& what) const;

 private:
  bool complete_barriers();
  void complete(unsigned id);
  void report_deadlock();

  const Grid* grid_;
  std::uint64_t index_;
  std::array<std::uint32_t, 3> coordinates_;
  SharedMemory shared_;
  AsyncCopies copies_;
  Checks checks_;
  Counters counters_;
  std::string printed_;
  std::array<Barrier, 16> barriers_;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::vector<unsigned> order_;  // the order in which warps have their turns
  std::mt19937_64 random_;
  bool shuffled_;
  std::uint64_t changes_ = 0, last_taken_ = 0;
  std::uint64_t executed_ = 0;
};

}  // namespace vgpu

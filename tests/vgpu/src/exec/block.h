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

// Thrown when a kernel commits a fault.
struct Fault {
  Finding finding;
};

std::string hexadecimal(std::uint64_t value);  // "0x1f"

// The state that all blocks of a launch share.
struct Grid {
  const Launch* launch;
  Program* program;
  const Function* kernel;
  std::uint64_t id;                                                     // of the launch in this process, from 1
  std::unique_ptr<Locations> released = std::make_unique<Locations>();  // in global memory, between threads
  std::uint64_t workspace = 0;  // of a cooperative grid: the address of its barrier

  std::size_t own_shared() const { return program->static_shared(launch->kernel) + launch->dynamic_shared; }
  std::size_t reserved_shared_begin() const { return (own_shared() + 15) / 16 * 16; }
};

class Block {
 public:
  Block(const Grid& grid, std::uint64_t index);

  enum class Status : std::uint8_t { kRunning, kWaiting, kDone };
  // Executes about `budget` instructions. Returns kWaiting if all warps seem to wait for another block. Throws Fault.
  Status run(std::uint64_t budget);
  std::uint64_t executed() const { return executed_; }  // instructions so far, a warp counting once

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

  // Something that other threads can see has changed: memory, a barrier, the number of threads that run.
  void note_change() { ++changes_; }
  std::uint64_t changes() const { return changes_; }
  bool take_changed() { return std::exchange(last_taken_, changes_) != changes_; }  // since the last call

  struct Barrier {
    unsigned arrived = 0;                   // threads that have arrived in this phase, counted in whole warps
    unsigned expected = 0;                  // 0 stands for all threads of the block
    std::vector<unsigned> members;          // warps that wait for the end of this phase
    unsigned votes_for = 0, votes = 0;      // lanes whose predicate was true, and all, of this phase
    unsigned last_for = 0, last_votes = 0;  // of the phase that completed last
  };
  // All lanes of the warp arrive; `waits` says whether they also wait. `expected` threads complete the phase (0: all of the
  // block). Returns true if this arrival completed it; then the waiting warps have been woken.
  bool arrive(Warp& warp, unsigned barrier, bool waits, unsigned expected, unsigned votes_for, unsigned votes);
  const Barrier& barrier(unsigned id) const { return barriers_[id]; }

  // A finding about an instruction; `lane` is the thread to name.
  Finding finding(const Warp& warp, unsigned lane, const Code& code, Finding::Kind kind, const std::string& what) const;
  // Throws Fault for the warp's current instruction.
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
  std::vector<unsigned> order_;  // in which warps take their turns
  std::mt19937_64 random_;
  bool shuffled_;
  std::uint64_t changes_ = 0, last_taken_ = 0;
  std::uint64_t executed_ = 0;
};

}  // namespace vgpu

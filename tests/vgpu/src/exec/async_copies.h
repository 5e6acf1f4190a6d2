// SPDX-License-Identifier: Apache-2.0
//
// Copies that the threads of a block have asked for. Each is put off to the last moment: it is made when a thread waits for
// it in the way it was asked for. So whoever reads without waiting does not see it, and a copy that nobody waits for is
// never made.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "exec/warp.h"

namespace vgpu {

struct AsyncCopy {
  std::byte* to;
  const std::byte* from;  // anything where bytes is 0
  std::uint32_t bytes;
  std::uint32_t zeros = 0;   // written behind them
  std::uint64_t offset = 0;  // of `to`, where that is in shared memory
  void (*reduce)(std::byte* to, const std::byte* from, std::uint32_t bytes) = nullptr;  // instead of plain copying
};

// The copies of one thread, in its order, bundled into groups.
class CopyQueue {
 public:
  void add(const AsyncCopy& copy);
  void commit() { groups_.push_back(added_); }
  std::uint64_t added() const { return added_; }

  // Takes out the copies that are due: all up to this many ever added; those of all groups but the youngest ones.
  std::vector<AsyncCopy> take_until(std::uint64_t added);
  std::vector<AsyncCopy> take_groups(std::size_t groups_left);

 private:
  std::vector<AsyncCopy> waiting_;     // the youngest of those added
  std::vector<std::uint64_t> groups_;  // added_ at the end of each
  std::uint64_t added_ = 0;
};

class AsyncCopies {
 public:
  static unsigned thread_in(const Warp& warp, unsigned lane) { return kLanes * warp.index() + lane; }

  CopyQueue& of(unsigned thread);       // cp.async
  CopyQueue& bulk_of(unsigned thread);  // cp.async.bulk with a bulk_group: groups of their own

  // Makes what a lane waits for.
  void wait(Warp& warp, unsigned lane, std::size_t groups_left);
  void wait_bulk(Warp& warp, unsigned lane, std::size_t groups_left);

  // For an mbarrier, given by its offset in shared memory: an arrival once the thread's copies up to now are made; a copy
  // that reports its bytes.
  void arrive_behind(unsigned thread, std::uint64_t mbarrier);
  void add_for(std::uint64_t mbarrier, const AsyncCopy& copy) { reporting_[mbarrier].push_back(copy); }
  bool any_for(std::uint64_t mbarrier) const { return reporting_.count(mbarrier) != 0; }

  // A lane waits for the mbarrier: makes the copies that can complete its phase.
  void land_for(Warp& warp, unsigned lane, std::uint64_t mbarrier);

 private:
  struct Arrival {
    unsigned thread;
    std::uint64_t added;  // by the thread when it asked
  };

  std::vector<CopyQueue> queues_, bulk_queues_;                // by thread
  std::map<std::uint64_t, std::vector<Arrival>> arrivals_;     // by mbarrier
  std::map<std::uint64_t, std::vector<AsyncCopy>> reporting_;  // by mbarrier
};

}  // namespace vgpu

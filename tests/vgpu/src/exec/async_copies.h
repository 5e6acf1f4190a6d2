// SPDX-License-Identifier: Apache-2.0
//
// The asynchronous copies of a block. Each is deferred as long as possible: it is performed when a thread waits for it in the
// way that its instruction prescribes. A thread that reads without waiting therefore does not see the data, and a copy that
// no thread waits for is never performed.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "exec/warp.h"

namespace vgpu {

struct AsyncCopy {
  std::byte* to;
  const std::byte* from;  // any value if bytes is 0
  std::uint32_t bytes;
  std::uint32_t zeros = 0;   // zero bytes to write after them
  std::uint64_t offset = 0;  // of `to` in shared memory, if it is there
  void (*reduce)(std::byte* to, const std::byte* from,
                 std::uint32_t bytes) = nullptr;  // combines the bytes instead of copying them; null: copies
};

// The copies of one thread in program order, and its groups.
class CopyQueue {
 public:
  void add(const AsyncCopy& copy);
  void commit() { groups_.push_back(added_); }
  std::uint64_t added() const { return added_; }

  // Removes and returns the copies that are due: the first `added` ones; those of all groups but the latest `groups_left`.
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

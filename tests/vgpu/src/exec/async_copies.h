// SPDX-License-Identifier: Apache-2.0
//
// The asynchronous copies of a block. Each is deferred as long as possible: it is performed when a thread waits for it
// in the way that its instruction prescribes. A thread that reads without waiting therefore does not see the data, and
// a copy that no thread waits for is never performed.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "exec/warp.h"

namespace vgpu {

struct AsyncCopy {
  std::byte* to;
  const std::byte* from;  // not dereferenced if bytes is 0
  std::uint32_t bytes;
  std::uint32_t zeros = 0;   // number of zero bytes to write after the copied ones
  std::uint64_t offset = 0;  // the offset of `to` in shared memory, if it is in shared memory
  // Combines the bytes with those at `to` (cp.reduce). If it is null, the bytes are copied.
  void (*reduce)(std::byte* to, const std::byte* from, std::uint32_t bytes) = nullptr;
};

// The copies of one thread in program order, and its async-groups.
class CopyQueue {
 public:
  void add(const AsyncCopy& copy);
  void commit() { groups_.push_back(added_); }
  std::uint64_t added() const { return added_; }

  // Both remove and return the copies that are due: take_until() the first `added` copies, the other function those of
  // all groups but the latest `groups_left`.
  std::vector<AsyncCopy> take_until(std::uint64_t added);
  std::vector<AsyncCopy> take_groups(std::size_t groups_left);

 private:
  std::vector<AsyncCopy> waiting_;     // the most recent of the copies added
  std::vector<std::uint64_t> groups_;  // the value of added_ at the end of each group
  std::uint64_t added_ = 0;
};

class AsyncCopies {
 public:
  static unsigned thread_in(const Warp& warp, unsigned lane) { return kLanes * warp.index() + lane; }

  CopyQueue& of(unsigned thread);       // cp.async
  CopyQueue& bulk_of(unsigned thread);  // cp.async.bulk with .bulk_group, which has groups of its own

  // Performs the copies that a lane waits for.
  void wait(Warp& warp, unsigned lane, std::size_t groups_left);
  void wait_bulk(Warp& warp, unsigned lane, std::size_t groups_left);

  // Registers work for an mbarrier, which is given by its offset in shared memory. arrive_after_copies() registers an arrival
  // that happens once the copies that the thread has issued so far are complete; add_for() a copy that reports its
  // bytes (complete_tx).
  void arrive_after_copies(unsigned thread, std::uint64_t mbarrier);
  void add_for(std::uint64_t mbarrier, const AsyncCopy& copy) { reporting_[mbarrier].push_back(copy); }
  bool any_for(std::uint64_t mbarrier) const { return reporting_.count(mbarrier) != 0; }

  // Called when a lane waits for the mbarrier: performs the copies that can complete its phase.
  void land_for(Warp& warp, unsigned lane, std::uint64_t mbarrier);

 private:
  struct Arrival {
    unsigned thread;
    std::uint64_t added;  // number of copies that the thread had issued when it requested the arrival
  };

  std::vector<CopyQueue> queues_, bulk_queues_;                // by thread
  std::map<std::uint64_t, std::vector<Arrival>> arrivals_;     // by mbarrier
  std::map<std::uint64_t, std::vector<AsyncCopy>> reporting_;  // by mbarrier
};

}  // namespace vgpu

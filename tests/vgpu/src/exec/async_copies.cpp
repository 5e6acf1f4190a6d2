// SPDX-License-Identifier: Apache-2.0
#include "exec/async_copies.h"

#include <cstring>
#include <utility>

#include "exec/block.h"
#include "exec/mbarrier.h"
#include "exec/sync_hooks.h"

namespace vgpu {
namespace {

void make(const AsyncCopy& copy) {
  if (copy.reduce != nullptr) {
    copy.reduce(copy.to, copy.from, copy.bytes);
    return;
  }
  if (copy.bytes > 0) std::memcpy(copy.to, copy.from, copy.bytes);
  std::memset(copy.to + copy.bytes, 0, copy.zeros);
}

}  // namespace

// ---- the copies of one thread ---------------------------------------------------------------------------------------

void CopyQueue::add(const AsyncCopy& copy) {
  waiting_.push_back(copy);
  ++added_;
}

std::vector<AsyncCopy> CopyQueue::take_until(std::uint64_t added) {
  const std::uint64_t gone = added_ - waiting_.size();
  if (added <= gone) return {};
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(added - gone);
  std::vector<AsyncCopy> due(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return due;
}

std::vector<AsyncCopy> CopyQueue::take_groups(std::size_t groups_left) {
  if (groups_.size() <= groups_left) return {};
  const auto end = groups_.end() - static_cast<std::ptrdiff_t>(groups_left);
  const std::uint64_t added = *(end - 1);
  groups_.erase(groups_.begin(), end);
  return take_until(added);
}

// ---- the copies of a block ------------------------------------------------------------------------------------------

CopyQueue& AsyncCopies::of(unsigned thread) {
  if (queues_.size() <= thread) queues_.resize(thread + 1);
  return queues_[thread];
}

CopyQueue& AsyncCopies::bulk_of(unsigned thread) {
  if (bulk_queues_.size() <= thread) bulk_queues_.resize(thread + 1);
  return bulk_queues_[thread];
}

void AsyncCopies::wait(Warp& warp, unsigned lane, std::size_t groups_left) {
  for (const AsyncCopy& copy : of(thread_in(warp, lane)).take_groups(groups_left)) {
    make(copy);
    finish_copy(warp, lane, copy.offset, copy.bytes + copy.zeros);
  }
}

void AsyncCopies::wait_bulk(Warp& warp, unsigned lane, std::size_t groups_left) {
  for (const AsyncCopy& copy : bulk_of(thread_in(warp, lane)).take_groups(groups_left)) make(copy);
}

void AsyncCopies::arrive_after_copies(unsigned thread, std::uint64_t mbarrier) {
  arrivals_[mbarrier].push_back({thread, of(thread).added()});
}

void AsyncCopies::land_for(Warp& warp, unsigned lane, std::uint64_t mbarrier) {
  Block& block = warp.block();
  std::byte* place = block.shared().bytes(mbarrier);
  Mbarrier barrier = Mbarrier::load(place);
  const std::uint64_t before = barrier.bits();
  if (const auto found = arrivals_.find(mbarrier); found != arrivals_.end()) {
    for (const Arrival& arrival : found->second) {
      for (const AsyncCopy& copy : of(arrival.thread).take_until(arrival.added)) {
        make(copy);
        finish_copy_at(warp, copy.offset, copy.bytes + copy.zeros, mbarrier);
      }
      if (barrier.pending == 0)
        block.fail(warp, lane, Finding::Kind::kAsyncCopy,
                   "cp.async.mbarrier.arrive: more arrivals than the mbarrier expects");
      --barrier.pending;
    }
    arrivals_.erase(found);
  }
  // The expected bytes may be increased (expect_tx) until the last arrival, so no copy has to land before it.
  if (const auto found = reporting_.find(mbarrier); found != reporting_.end() && barrier.pending == 0) {
    for (const AsyncCopy& copy : found->second) {
      make(copy);
      finish_copy_at(warp, copy.offset, copy.bytes, mbarrier);
      barrier.bytes -= static_cast<std::int32_t>(copy.bytes);
      if (barrier.bytes < 0)
        block.fail(
            warp, lane, Finding::Kind::kAsyncCopy,
            "copies bring " + std::to_string(-barrier.bytes) + " bytes more than the mbarrier was told to expect");
    }
    reporting_.erase(found);
  }
  if (barrier.complete()) barrier.begin_next_phase();
  barrier.store(place);
  if (barrier.bits() != before) block.note_change();
}

}  // namespace vgpu

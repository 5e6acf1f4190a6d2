// SPDX-License-Identifier: Apache-2.0
#include "memory/races.h"

#include <algorithm>
#include <thread>

namespace vgpu {
namespace {

// Returns whether every later access that races with `touch` also races with `me`, so that recording `me` is
// sufficient.
bool stands_for(const Touch& me, const Touch& touch, const Past& known) {
  return touch.time == 0 || ((touch.strong() || !me.strong()) && happened_before(touch, me, known));
}

}  // namespace

bool happened_before_elsewhere(const Touch& touch, const Past& known) {
  const BlockPast* past = known.others == nullptr ? nullptr : known.others->of(touch.block);
  return past != nullptr && (*past)[touch.warp()].covers(touch.time, touch.lanes);
}

void Cell::note_other_read(const Touch& me, const Past& known) {
  if (joins(reads[1], me)) return;
  if (stands_for(me, reads[0], known)) {
    if (stands_for(me, reads[1], known)) reads[1] = {};
    reads[0] = me;
  } else if (stands_for(me, reads[1], known) || reads[0].block != me.block) {
    reads[1] = me;
  } else {
    reads[0] = me;
  }
}

// ---- pages ----------------------------------------------------------------------------------------------------------

struct AccessHistory::Page {
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  std::uint64_t launch = 0;
  unsigned shift = kShift;
  std::vector<Cell> cells;  // empty if the page was forgotten

  void lock() {
    while (busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() { busy.clear(std::memory_order_release); }

  // Splits the cells until they are no larger than the accesses, which are aligned to 1 << wanted bytes only.
  void refine(unsigned wanted) {
    std::vector<Cell> finer(cells.size() << (shift - wanted));
    for (std::size_t i = 0; i < finer.size(); ++i) finer[i] = cells[i >> (shift - wanted)];
    cells.swap(finer);
    shift = wanted;
  }
};

AccessHistory::~AccessHistory() {
  for (std::atomic<Page*>& page : pages_) delete page.load();
}

void AccessHistory::forget() {
  for (std::atomic<Page*>& pointer : pages_) {
    Page* page = pointer.load(std::memory_order_acquire);
    if (page == nullptr) continue;
    page->lock();
    std::vector<Cell>().swap(page->cells);
    page->shift = kShift;
    page->unlock();
  }
}

std::size_t AccessHistory::cells_of(std::size_t page) const {
  const std::size_t bytes = std::min(kPageBytes, size_ - page * kPageBytes);
  return (bytes + (std::size_t{1} << kShift) - 1) >> kShift;
}

AccessHistory::Page& AccessHistory::page(std::size_t index) {
  Page* found = pages_[index].load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  auto fresh = std::make_unique<Page>();
  if (pages_[index].compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *found;
}

void AccessHistory::Cursor::enter(std::size_t offset, std::size_t end) {
  Page& wanted = history_->page(offset / kPageBytes);
  if (&wanted != page_) {
    leave();
    wanted.lock();
    page_ = &wanted;
    page_begin_ = offset / kPageBytes * kPageBytes;
    if (page_->cells.empty()) page_->cells.resize(history_->cells_of(offset / kPageBytes));
    if (page_->launch != launch_) {
      std::fill(page_->cells.begin(), page_->cells.end(), Cell{});
      page_->launch = launch_;
    }
  }
  const auto alignment = static_cast<unsigned>(__builtin_ctzll(offset | end));
  if (alignment < page_->shift) page_->refine(alignment);
  cells_ = page_->cells.data();
  shift_ = page_->shift;
}

void AccessHistory::Cursor::leave() {
  if (page_ != nullptr) page_->unlock();
  page_ = nullptr;
}

}  // namespace vgpu

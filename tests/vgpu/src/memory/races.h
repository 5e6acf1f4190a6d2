// SPDX-License-Identifier: Apache-2.0
//
// The last accesses of each byte. Two accesses of the same byte race if one of them writes, not both are strong, and
// neither happened before the other (memory/order.h). For each byte the last write is recorded, and the reads since
// then by two groups of lanes that are not ordered with each other, preferably in different blocks. This finds all
// races if only barriers of whole blocks synchronise; with finer synchronisation a race with a third reader can be
// missed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "memory/clocks.h"

namespace vgpu {

// Simultaneous accesses by lanes of one warp.
struct Touch {
  std::uint32_t block = 0;
  Time time = 0;  // 0: no access
  LaneSet lanes = 0;
  std::uint32_t site = 0;  // warp, flags, and line in the PTX text

  static constexpr std::uint32_t kWarp = 63, kStrong = 64, kPending = 128;
  static std::uint32_t site_of(unsigned warp, bool strong, std::uint32_t line) {
    return warp | (strong ? kStrong : 0) | line << 8;
  }
  unsigned warp() const { return site & kWarp; }
  bool strong() const { return (site & kStrong) != 0; }
  bool pending() const { return (site & kPending) != 0; }  // by an asynchronous copy that has not been waited for
  std::uint32_t line() const { return site >> 8; }
};

// Returns the same for an access by another block.
bool happened_before_elsewhere(const Touch& touch, const Past& known);

// Returns whether the accesses of `touch` happened before the one that the lane of `me` is about to make.
inline bool happened_before(const Touch& touch, const Touch& me, const Past& known) {
  if (touch.pending()) return false;
  if (touch.block != me.block) return happened_before_elsewhere(touch, known);
  const LaneSet others = touch.warp() == me.warp() ? touch.lanes & ~me.lanes : touch.lanes;
  return others == 0 || known.own[touch.warp()].covers(touch.time, others);
}

// The last accesses of 1, 2 or 4 neighbouring bytes.
struct Cell {
  Touch write;
  std::array<Touch, 2> reads;

  // Return the recorded write, or a recorded read, if it races with an access (in the case of a read: a write) by `me`;
  // otherwise null.
  const Touch* racing_write(const Touch& me, const Past& known) const {
    return races(write, me, known) ? &write : nullptr;
  }
  const Touch* racing_read(const Touch& me, const Past& known) const {
    for (const Touch& read : reads)
      if (races(read, me, known)) return &read;
    return nullptr;
  }

  // Returns whether the block has read the bytes since the last write, as far as recorded.
  bool read_by(std::uint32_t block) const {
    const auto is_of_block = [&](const Touch& read) { return read.time != 0 && read.block == block; };
    return is_of_block(reads[0]) || is_of_block(reads[1]);
  }

  void note_read(const Touch& me, const Past& known) {
    if (!joins(reads[0], me)) note_other_read(me, known);
  }
  void note_write(const Touch& me) { *this = {me, {}}; }

 private:
  static bool races(const Touch& earlier, const Touch& me, const Past& known) {
    return earlier.time != 0 && !(earlier.strong() && me.strong()) && !happened_before(earlier, me, known);
  }
  // Lanes of one warp that read at the same time form one group.
  static bool joins(Touch& group, const Touch& me) {
    constexpr std::uint32_t kSame = Touch::kWarp | Touch::kStrong;
    if (group.block != me.block || group.time != me.time || ((group.site ^ me.site) & kSame) != 0) return false;
    group.lanes |= me.lanes;
    group.site = me.site;
    return true;
  }
  void note_other_read(const Touch& me, const Past& known);
};

// The cells of an allocation or of shared memory. A cell covers 4 bytes, or 2 or 1 bytes where there were smaller
// accesses.
class AccessHistory {
 public:
  explicit AccessHistory(std::size_t size) : size_(size), pages_((size + kPageBytes - 1) / kPageBytes) {}
  ~AccessHistory();
  AccessHistory(const AccessHistory&) = delete;
  AccessHistory& operator=(const AccessHistory&) = delete;

  // Forgets all accesses and returns most of the memory to the system. Other threads may be using the history at this
  // moment.
  void forget();

 private:
  struct Page;

 public:
  // Gives access to cells, one page at a time, which it locks. Accesses of earlier launches are forgotten.
  class Cursor {
   public:
    Cursor(AccessHistory& history, std::uint64_t launch) : history_(&history), launch_(launch) {}
    ~Cursor() { leave(); }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    // Calls f(cell, offset of its first byte, number of its bytes) for the cells of these bytes.
    template <class F>
    void visit(std::size_t offset, std::size_t count, F f) {
      for (const std::size_t end = offset + count; offset < end;) {
        if (offset - page_begin_ >= kPageBytes || ((offset | end) & ((std::size_t{1} << shift_) - 1)) != 0)
          enter(offset, end);
        const std::size_t page_end = std::min(end, (offset / kPageBytes + 1) * kPageBytes);
        const std::size_t cell_bytes = std::size_t{1} << shift_;
        for (; offset < page_end; offset += cell_bytes) f(cells_[offset % kPageBytes >> shift_], offset, cell_bytes);
      }
    }

   private:
    void enter(std::size_t offset, std::size_t end);
    void leave();

    AccessHistory* history_;
    std::uint64_t launch_;
    Page* page_ = nullptr;
    std::size_t page_begin_ = ~std::size_t{0} / 2;  // byte offset of the page
    Cell* cells_ = nullptr;
    unsigned shift_ = 0;  // log2 of the bytes per cell
  };

 private:
  static constexpr std::size_t kPageBytes = 1024;
  static constexpr unsigned kShift = 2;  // the initial log2 of the bytes per cell

  Page& page(std::size_t index);
  std::size_t cells_of(std::size_t page) const;  // initially

  std::size_t size_;
  std::vector<std::atomic<Page*>> pages_;
};

}  // namespace vgpu

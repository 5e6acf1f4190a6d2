// SPDX-License-Identifier: Apache-2.0
#include "exec/race_check.h"

#include <algorithm>
#include <vector>

#include "exec/block.h"
#include "exec/instructions/lanes.h"
#include "exec/reports.h"

namespace vgpu {
namespace {

constexpr std::size_t kMostBytes = 32;  // most bytes that one lane accesses, except in a copy

// Checks one access, lane by lane and cell by cell.
class RaceCheck {
 public:
  RaceCheck(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, const Allocation* allocation)
      : warp_(warp),
        access_(access),
        lanes_(lanes),
        at_(at),
        allocation_(allocation),
        order_(*warp.block().checks().order()) {
    me_.block = order_.block();
    me_.time = order_.now(warp.index());
    me_.site = Touch::site_of(warp.index(), access.strong, warp.code().source->place.line);
    if (access.asynchronous) me_.site |= Touch::kPending;
  }

  void run(AccessHistory::Cursor& cursor, std::uint64_t base) {
    if (access_.kind == Access::Kind::kRead) {
      each_cell(cursor, base, [this](Cell& cell, std::uint64_t, std::size_t) {
        const Touch* write = cell.racing_write(me_, *known_);
        if (write != nullptr) fail(*write, true);
        cell.note_read(me_, *known_);
      });
    } else {
      each_cell(cursor, base, [this](Cell& cell, std::uint64_t place, std::size_t bytes) {
        const Touch* write = cell.racing_write(me_, *known_);
        if (write != nullptr && !writes_the_same(*write, place, bytes)) fail(*write, true);
        if (write == nullptr && puts_back(cell, place, bytes)) {
          put_back_.push_back({place, place + bytes});
          return cell.note_read(me_, *known_);
        }
        const Touch* read = cell.racing_read(me_, *known_);
        if (read != nullptr) fail(*read, false);
        cell.note_write(me_);
      });
    }
    // Memory that this launch has allocated itself is not marked: other work can only learn its address by reading
    // memory that this launch has written.
    if (allocation_ != nullptr && allocation_->launch != warp_.block().grid().id) mark(base);
  }

 private:
  struct Range {
    std::uint64_t begin, end;
  };

  // Neighbouring lanes usually access adjacent bytes, so these are marked in one call.
  void mark(std::uint64_t base) {
    const bool reads = access_.kind == Access::Kind::kRead;
    const Use use =
        access_.strong ? (reads ? Use::kStrongRead : Use::kStrongWrite) : (reads ? Use::kRead : Use::kWrite);
    Range open{0, 0};
    const auto close = [&] {
      if (open.begin < open.end)
        warp_.block().launch().heap->mark(*allocation_, use, open.begin - base, open.end - open.begin);
    };
    const auto add = [&](std::uint64_t begin, std::uint64_t end) {
      if (begin >= open.begin && begin <= open.end) {
        open.end = std::max(open.end, end);
      } else {
        close();
        open = {begin, end};
      }
    };
    auto skipped = put_back_.begin();  // in ascending order of lanes and offsets
    for_each_lane(lanes_, [&](unsigned lane) {
      std::uint64_t begin = at_[lane];
      const std::uint64_t end = begin + access_.bytes;
      for (; skipped != put_back_.end() && skipped->begin >= begin && skipped->end <= end; ++skipped) {
        if (begin < skipped->begin) add(begin, skipped->begin);
        begin = skipped->end;
      }
      if (begin < end) add(begin, end);
    });
    close();
  }

  template <class F>
  void each_cell(AccessHistory::Cursor& cursor, std::uint64_t base, F f) {
    for_each_lane(lanes_, [&](unsigned lane) {
      lane_ = lane;
      me_.lanes = Mask{1} << lane;
      known_ = &order_.past(warp_.index(), lane);
      cursor.visit(at_[lane] - base, access_.bytes,
                   [&](Cell& cell, std::size_t first, std::size_t bytes) { f(cell, base + first, bytes); });
    });
  }

  bool writes_the_same(const Touch& write, std::uint64_t place, std::size_t bytes) {
    if (access_.value == nullptr || access_.asynchronous || write.pending()) return false;
    std::array<std::byte, kMostBytes> mine{};
    access_.value(warp_, warp_.code(), lane_, mine.data());
    for (std::uint64_t end = place + bytes; place < end; ++place)
      if (mine[place - at_[lane_]] != resulting_byte(place)) return false;
    return true;
  }

  bool puts_back(const Cell& cell, std::uint64_t place, std::size_t bytes) const {
    if (allocation_ == nullptr || access_.value == nullptr || access_.asynchronous || !cell.read_by(me_.block))
      return false;
    std::array<std::byte, kMostBytes> mine;
    access_.value(warp_, warp_.code(), lane_, mine.data());
    const std::uint64_t first = place - at_[lane_];
    return std::equal(mine.begin() + first, mine.begin() + first + bytes, access_.host[lane_] + first);
  }

  // Returns the byte that an earlier lane of this instruction is about to write there, or otherwise the byte in memory.
  std::byte resulting_byte(std::uint64_t place) {
    for (unsigned lane = lane_; lane-- > 0;) {
      if ((lanes_ >> lane & 1) == 0 || place < at_[lane] || place - at_[lane] >= access_.bytes) continue;
      std::array<std::byte, kMostBytes> theirs{};
      access_.value(warp_, warp_.code(), lane, theirs.data());
      return theirs[place - at_[lane]];
    }
    return access_.host[lane_][place - at_[lane_]];
  }

  [[noreturn]] void fail(const Touch& other, bool wrote) {
    const auto kind = other.pending() ? Finding::Kind::kAsyncCopy : Finding::Kind::kRace;
    warp_.block().fail(warp_, lane_, kind, race_text(warp_, access_, lane_, other, wrote));
  }

  Warp& warp_;
  const Access& access_;
  Mask lanes_;
  const std::uint64_t* at_;
  const Allocation* allocation_;  // null for shared memory
  Order& order_;
  Touch me_;
  unsigned lane_ = 0;
  const Past* known_ = nullptr;
  std::vector<Range> put_back_;
};

}  // namespace

void check_races(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, std::uint64_t base,
                 AccessHistory& history, const Allocation* allocation) {
  AccessHistory::Cursor cursor(history, warp.block().grid().id);
  RaceCheck(warp, access, lanes, at, allocation).run(cursor, base);
}

void synchronise(Warp& warp, const Access& access, Mask lanes, const std::uint64_t* at, Locations& locations) {
  constexpr std::uint64_t kWord = 4;
  Checks& checks = warp.block().checks();
  Order& order = *checks.order();
  for_each_lane(lanes, [&](unsigned lane) {
    for (std::uint64_t word = at[lane] / kWord; word * kWord < at[lane] + access.bytes; ++word) {
      if (access.kind != Access::Kind::kRead) order.release(warp.index(), lane, locations, word, access.relaxed);
      if (access.kind != Access::Kind::kWrite) checks.acquire_later(warp, Mask{1} << lane, locations, word);
    }
  });
  if (access.kind != Access::Kind::kRead && !access.relaxed) order.tick(warp.index());
}

}  // namespace vgpu

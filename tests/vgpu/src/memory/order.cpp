// SPDX-License-Identifier: Apache-2.0
#include "memory/order.h"

#include <utility>

namespace vgpu {
namespace {

constexpr std::size_t kLanesOfWarp = 32;

template <class F>
void for_each(LaneSet lanes, F f) {
  for (; lanes != 0; lanes &= lanes - 1) f(static_cast<unsigned>(__builtin_ctz(lanes)));
}

bool is_one(LaneSet lanes) { return (lanes & (lanes - 1)) == 0; }

}  // namespace

Order::Order(std::uint32_t block, unsigned warps) : block_(block), warps_(warps + 1) {
  for (Knowledge& of : warps_) of.common.own.resize(warps_.size());
}

// ---- lanes ----------------------------------------------------------------------------------------------------------

void Order::meet(unsigned warp, LaneSet lanes, LaneSet alive) {
  lanes &= alive;
  if (lanes == alive) {
    meet_all(warp);
  } else if (!is_one(lanes)) {
    meet_some(warp, lanes);
  }
}

void Order::meet_all(unsigned warp) {
  Knowledge& of = warps_[warp];
  for_each(of.ahead, [&](unsigned lane) {
    of.common.join(*of.each[lane]);
    of.each[lane].reset();
  });
  of.ahead = 0;
  of.common.own[warp] = {++of.now, 0, 0};
}

void Order::meet_some(unsigned warp, LaneSet lanes) {
  Knowledge& of = warps_[warp];
  auto together = std::make_shared<Past>(of.common);
  for_each(lanes & of.ahead, [&](unsigned lane) { together->join(*of.each[lane]); });
  together->own[warp].join({0, ++of.now, lanes});
  of.each.resize(kLanesOfWarp);
  for_each(lanes, [&](unsigned lane) { of.each[lane] = together; });
  of.ahead |= lanes;
}

void Order::fence(unsigned warp, LaneSet lanes) {
  Knowledge& of = warps_[warp];
  BlockPast done = of.fenced == nullptr ? BlockPast(warps_.size()) : *of.fenced;
  for_each(lanes, [&](unsigned lane) { join(done, past(warp, lane).own); });
  done[warp].join({0, ++of.now, lanes});
  of.fenced = std::make_shared<const BlockPast>(std::move(done));
}

// ---- barriers -------------------------------------------------------------------------------------------------------

void Order::arrive(unsigned warp, unsigned barrier) {
  const Knowledge& of = warps_[warp];
  Barrier& at = barriers_[barrier];
  at.past.own.resize(warps_.size());
  at.past.join(of.common);
  if (at.fenced == nullptr || of.fenced == nullptr) {
    if (of.fenced != nullptr) at.fenced = of.fenced;
  } else if (at.fenced != of.fenced) {
    BlockPast both = *at.fenced;
    join(both, *of.fenced);
    at.fenced = std::make_shared<const BlockPast>(std::move(both));
  }
}

void Order::pass(unsigned warp, unsigned barrier) {
  Knowledge& of = warps_[warp];
  of.common = barriers_[barrier].past;  // includes the clock that this warp released
  of.fenced = barriers_[barrier].fenced;
}

void Order::reset(unsigned barrier) { barriers_[barrier] = {}; }

// ---- releases and acquires at memory locations ----------------------------------------------------------------------

void Order::release(unsigned warp, unsigned lane, Locations& locations, std::uint64_t word, bool relaxed) {
  Knowledge& of = warps_[warp];
  const Past& known = past(warp, lane);
  if (!relaxed) {
    auto all = std::make_shared<BlockPast>(known.own);
    (*all)[warp].join({0, of.now + 1, LaneSet{1} << lane});
    locations.release(word, block_, std::move(all), known.others.get());
  } else if (of.fenced != nullptr) {
    const Released now{&locations, word, of.fenced, known.others};
    if (now == of.last_released) return;
    locations.release(word, block_, of.fenced, known.others.get());
    of.last_released = now;
  }
}

void Order::acquire(unsigned warp, LaneSet lanes, LaneSet alive, const Locations& locations, std::uint64_t word) {
  Knowledge& of = warps_[warp];
  const std::shared_ptr<const GridPast> released = locations.at(word);
  if (released == nullptr) return;
  if (released != of.last_acquired) {
    of.last_acquired = released;
    of.last_lanes = 0;
  }
  lanes &= ~of.last_lanes;  // the other lanes polled a word that has not changed
  if (lanes == 0) return;
  of.last_lanes |= lanes;
  if ((alive & ~lanes) == 0) {
    of.common.join(*released, block_);
    lanes &= of.ahead;
  }
  // Lanes whose clocks were equal share the new one; null represents the common clock.
  of.each.resize(kLanesOfWarp);
  std::shared_ptr<const Past> before, after;
  for_each(lanes, [&](unsigned lane) {
    const auto knew = (of.ahead >> lane & 1) != 0 ? of.each[lane] : nullptr;
    if (after == nullptr || knew != before) {
      auto more = std::make_shared<Past>(past(warp, lane));
      more->join(*released, block_);
      before = knew;
      after = std::move(more);
    }
    of.each[lane] = after;
    of.ahead |= LaneSet{1} << lane;
  });
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
#include "exec/sync_hooks.h"

#include "exec/block.h"

namespace vgpu {
namespace {

constexpr std::size_t kWord = 4;

// Records that from now on the copy counts as an access by the given warp and lanes.
void finish(Warp& warp, std::size_t offset, std::size_t bytes, unsigned as_warp, LaneSet as_lanes) {
  Block& block = warp.block();
  block.shared().initialised_bytes().fill(offset, bytes, true);
  Order* order = block.checks().order();
  if (order == nullptr) return;
  AccessHistory::Cursor cursor(block.shared().history(), block.grid().id);
  cursor.visit(offset, bytes, [&](Cell& cell, std::size_t, std::size_t) {
    cell.write.site = Touch::site_of(as_warp, false, cell.write.line());
    cell.write.lanes = as_lanes;
    cell.write.time = order->now(as_warp);
  });
}

}  // namespace

void fence(Warp& warp) {
  Checks& checks = warp.block().checks();
  if (checks.order() == nullptr) return;
  checks.acquire_now(warp);
  checks.order()->fence(warp.index(), warp.active());
}

void meet(Warp& warp, Mask lanes) {
  Checks& checks = warp.block().checks();
  if (checks.order() == nullptr) return;
  checks.acquire_now(warp);
  checks.order()->meet(warp.index(), lanes, warp.alive());
}

void finish_copy(Warp& warp, unsigned lane, std::size_t offset, std::size_t bytes) {
  finish(warp, offset, bytes, warp.index(), Mask{1} << lane);
}

void finish_copy_at(Warp& warp, std::size_t offset, std::size_t bytes, std::size_t mbarrier) {
  Checks& checks = warp.block().checks();
  Order* order = checks.order();
  if (order == nullptr) return finish(warp, offset, bytes, 0, 0);
  const unsigned copier = order->copier();
  finish(warp, offset, bytes, copier, 1);
  order->release(copier, 0, checks.shared_locations(), mbarrier / kWord, false);
  order->tick(copier);
}

}  // namespace vgpu

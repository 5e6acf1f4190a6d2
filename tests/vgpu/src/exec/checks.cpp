// SPDX-License-Identifier: Apache-2.0
#include "exec/checks.h"

#include "exec/block.h"

namespace vgpu {

Checks::Checks(const Grid& grid, std::uint64_t block, std::size_t warps)
    : initialised_(grid.launch->options.check_initialised),
      heap_(grid.launch->heap),
      global_locations_(grid.released.get()),
      acquires_(warps) {
  if (grid.launch->options.check_races)
    order_ = std::make_unique<Order>(static_cast<std::uint32_t>(block), static_cast<unsigned>(warps));
}

void Checks::acquire_later(const Warp& warp, LaneSet lanes, const Locations& locations, std::uint64_t word) {
  std::vector<Acquire>& acquires = acquires_[warp.index()];
  if (!acquires.empty() && acquires.back().locations == &locations && acquires.back().word == word) {
    acquires.back().lanes |= lanes;
  } else {
    acquires.push_back({lanes, &locations, word});
  }
}

void Checks::acquire_now(const Warp& warp) {
  std::vector<Acquire>& acquires = acquires_[warp.index()];
  for (const Acquire& acquire : acquires)
    order_->acquire(warp.index(), acquire.lanes & warp.alive(), warp.alive(), *acquire.locations, acquire.word);
  acquires.clear();
}

Allocation* Checks::holding(std::uint64_t address, std::size_t count) {
  for (Allocation* allocation : recent_)
    if (allocation != nullptr && !allocation->freed && allocation->holds(address, count)) return allocation;
  Allocation* found = heap_->holding(address, count);
  if (found != nullptr) {
    recent_[oldest_] = found;
    oldest_ = (oldest_ + 1) % recent_.size();
  }
  return found;
}

}  // namespace vgpu

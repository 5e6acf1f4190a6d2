// SPDX-License-Identifier: Apache-2.0
#include "memory/clocks.h"

#include <algorithm>

namespace vgpu {
namespace {

std::shared_ptr<const GridPast> joined(const std::shared_ptr<const GridPast>& a,
                                       const std::shared_ptr<const GridPast>& b) {
  if (a == b || b == nullptr) return a;
  if (a == nullptr) return b;
  auto both = std::make_shared<GridPast>(*a);
  both->join(*b);
  return both;
}

}  // namespace

void Seen::join(const Seen& other) {
  all = std::max(all, other.all);
  LaneSet more = 0;
  if (some > all) more |= lanes;
  if (other.some > all) more |= other.lanes;
  lanes = more;
  some = more == 0 ? 0 : std::max(some, other.some);
}

void join(BlockPast& past, const BlockPast& other) {
  for (std::size_t warp = 0; warp < past.size(); ++warp) past[warp].join(other[warp]);
}

bool includes(const BlockPast& past, const BlockPast& other) {
  return &past == &other || std::equal(past.begin(), past.end(), other.begin(),
                                       [](const Seen& mine, const Seen& theirs) { return mine.includes(theirs); });
}

const BlockPast* GridPast::of(std::uint32_t block) const {
  const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), block,
                                      [](const auto& entry, std::uint32_t key) { return entry.first < key; });
  return found != blocks_.end() && found->first == block ? found->second.get() : nullptr;
}

bool GridPast::includes(std::uint32_t block, const BlockPast& past) const {
  const BlockPast* mine = of(block);
  return mine != nullptr && vgpu::includes(*mine, past);
}

bool GridPast::includes(const GridPast& other, std::uint32_t without) const {
  return this == &other || std::all_of(other.blocks_.begin(), other.blocks_.end(), [&](const auto& entry) {
           return entry.first == without || includes(entry.first, *entry.second);
         });
}

void GridPast::join(std::uint32_t block, const std::shared_ptr<const BlockPast>& past) {
  const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), block,
                                      [](const auto& entry, std::uint32_t key) { return entry.first < key; });
  if (found == blocks_.end() || found->first != block) {
    blocks_.insert(found, {block, past});
  } else if (!vgpu::includes(*found->second, *past)) {
    auto both = std::make_shared<BlockPast>(*found->second);
    vgpu::join(*both, *past);
    found->second = std::move(both);
  }
}

void GridPast::join(const GridPast& other, std::uint32_t without) {
  for (const auto& [block, past] : other.blocks_)
    if (block != without) join(block, past);
}

void Past::join(const Past& other) {
  vgpu::join(own, other.own);
  others = joined(others, other.others);
}

void Past::join(const GridPast& released, std::uint32_t own_block) {
  const BlockPast* own_part = released.of(own_block);
  if (own_part != nullptr) vgpu::join(own, *own_part);
  static const GridPast nothing;
  const GridPast& before = others == nullptr ? nothing : *others;
  if (before.includes(released, own_block)) return;
  auto more = std::make_shared<GridPast>(before);
  more->join(released, own_block);
  others = std::move(more);
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
#include "memory/locations.h"

namespace vgpu {

void Locations::release(std::uint64_t word, std::uint32_t block, const std::shared_ptr<const BlockPast>& past,
                        const GridPast* others) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<GridPast>& here = released_[word];
  if (here == nullptr) {
    here = std::make_shared<GridPast>();
  } else if (here->includes(block, *past) && (others == nullptr || here->includes(*others))) {
    return;
  } else if (here.use_count() > 1) {
    here = std::make_shared<GridPast>(*here);  // concurrent readers keep the old object
  }
  here->join(block, past);
  if (others != nullptr) here->join(*others);
  empty_.store(false, std::memory_order_release);
}

std::shared_ptr<const GridPast> Locations::at(std::uint64_t word) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = released_.find(word);
  return found == released_.end() ? nullptr : found->second;
}

}  // namespace vgpu

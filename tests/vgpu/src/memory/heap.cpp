// SPDX-License-Identifier: Apache-2.0
#include "memory/heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

#include "memory/shadow.h"

namespace vgpu {
namespace {

constexpr std::size_t kPage = 4096;
// The gap between allocations grows with their size, so that indexing with a wrong row of a matrix still yields an
// unused address.
constexpr std::size_t kLeastGap = std::size_t{64} << 10;
constexpr std::size_t kMostGap = std::size_t{1} << 30;

constexpr std::size_t round_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

// Returns null if the system is out of memory. Pages that are already mapped at `place` are replaced.
std::byte* map_pages(std::uint64_t place, std::size_t size, int protection) {
  const int fixed = place != 0 ? MAP_FIXED : 0;
  void* pages = mmap(reinterpret_cast<void*>(place), size, protection,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

bool host_reaches(Allocation::Kind kind) {
  return kind == Allocation::Kind::kManaged || kind == Allocation::Kind::kPinned;
}

bool counts_as_device_memory(Allocation::Kind kind) {
  return kind == Allocation::Kind::kDevice || kind == Allocation::Kind::kManaged;
}

// Addresses have exactly the alignment that CUDA guarantees and no more, so that programs cannot come to depend on a
// larger one.
std::uint64_t next_address(Allocation::Kind kind, std::uint64_t after) {
  switch (kind) {
    case Allocation::Kind::kDevice:
      return round_up(after, 512) + 256;
    case Allocation::Kind::kMalloc:
      return round_up(after, 32) + 16;
    default:
      return round_up(after, kPage);
  }
}

void discard_bytes(Allocation& allocation) {
  if (allocation.bytes == nullptr || allocation.adopted) return;
  const std::size_t size = round_up(allocation.size, kPage);
  if (host_reaches(allocation.kind)) {
    map_pages(allocation.address, size, PROT_NONE);
  } else {
    munmap(allocation.bytes, size);
  }
  allocation.bytes = nullptr;
}

}  // namespace

Allocation::~Allocation() = default;

Heap::Heap() {
  std::byte* region = map_pages(0, kRegion, PROT_NONE);
  if (region == nullptr) throw std::bad_alloc();
  region_ = reinterpret_cast<std::uint64_t>(region);
  next_ = region_ + kLeastGap;
}

Heap::~Heap() {
  for (auto& [address, allocation] : allocations_) discard_bytes(*allocation);
  munmap(reinterpret_cast<void*>(region_), kRegion);
}

// Addresses are assigned in ascending order and never reused. Within the reserved region, the host can only read the
// pages of memory that CUDA lets it access.
Allocation* Heap::allocate(Allocation::Kind kind, std::size_t size, int device, std::string name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool counts = counts_as_device_memory(kind);
  std::size_t& used = used_[device];
  if (counts && (used > limit_ || size > limit_ - used)) return nullptr;
  const std::uint64_t address = next_address(kind, next_);
  const std::uint64_t room = region_ + kRegion - address;
  const std::size_t gap = std::clamp(size, kLeastGap, kMostGap);
  if (size > room || gap + kPage > room - size) return nullptr;

  auto allocation = std::make_unique<Allocation>();
  allocation->kind = kind;
  allocation->address = address;
  allocation->size = size;
  allocation->device = device;
  allocation->name = name.empty() ? "allocation " + std::to_string(++count_) : std::move(name);
  allocation->bytes = map_pages(host_reaches(kind) ? address : 0, round_up(size, kPage), PROT_READ | PROT_WRITE);
  if (allocation->bytes == nullptr) return nullptr;
  try {
    allocation->shadow = std::make_unique<GlobalShadow>(size);
  } catch (const std::bad_alloc&) {
    discard_bytes(*allocation);
    return nullptr;
  }
  // Writes by the host cannot be observed, so all of this memory counts as initialised.
  if (host_reaches(kind)) allocation->shadow->set_initialised(0, size, true);
  if (counts) used += size;
  next_ = address + size + gap;
  return (allocations_[address] = std::move(allocation)).get();
}

Allocation* Heap::adopt(void* host, std::size_t size, int device) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto address = reinterpret_cast<std::uint64_t>(host);
  if (address + size < address || reserves(address) || reserves(address + size - 1)) return nullptr;
  const auto after = allocations_.lower_bound(address + size);
  if (after != allocations_.begin()) {
    const Allocation& before = *std::prev(after)->second;
    if (before.address + before.size > address) return nullptr;
  }
  auto allocation = std::make_unique<Allocation>();
  allocation->kind = Allocation::Kind::kPinned;
  allocation->address = address;
  allocation->size = size;
  allocation->bytes = static_cast<std::byte*>(host);
  allocation->adopted = true;
  allocation->name = "allocation " + std::to_string(++count_);
  allocation->device = device;
  allocation->shadow = std::make_unique<GlobalShadow>(size);
  allocation->shadow->set_initialised(0, size, true);
  return (allocations_[address] = std::move(allocation)).get();
}

Allocation* Heap::end_life(std::uint64_t address) {
  const auto found = allocations_.find(address);
  if (found == allocations_.end() || found->second->freed) return nullptr;
  Allocation& allocation = *found->second;
  allocation.freed = true;
  if (counts_as_device_memory(allocation.kind)) used_[allocation.device] -= allocation.size;
  return &allocation;
}

bool Heap::release(std::uint64_t address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Allocation* allocation = end_life(address);
  if (allocation == nullptr) return false;
  discard_bytes(*allocation);
  allocation->shadow.reset();
  if (allocation->adopted) {
    const auto found = allocations_.find(address);
    forgotten_.push_back(std::move(found->second));
    allocations_.erase(found);
  }
  return true;
}

// The pages are returned to the system at once and read as zero from then on, so that a kernel that allocates and frees
// in a loop needs no more memory than it holds at a time.
bool Heap::retire(std::uint64_t address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Allocation* allocation = end_life(address);
  if (allocation == nullptr) return false;
  madvise(allocation->bytes, round_up(allocation->size, kPage), MADV_DONTNEED);
  allocation->shadow->forget();
  retired_.push_back(allocation);
  return true;
}

void Heap::discard_retired() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Allocation* allocation : retired_) {
    discard_bytes(*allocation);
    allocation->shadow.reset();
  }
  retired_.clear();
}

void Heap::mark(const Allocation& allocation, Use use, std::size_t offset, std::size_t count) {
  if (!allocation.shadow->uses().mark(use, offset, count)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  marked_.push_back(&allocation);
}

std::vector<const Allocation*> Heap::take_marked() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(marked_, {});
}

Allocation* Heap::find(std::uint64_t address) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto after = allocations_.upper_bound(address);
  return after == allocations_.begin() ? nullptr : std::prev(after)->second.get();
}

Allocation* Heap::holding(std::uint64_t address, std::size_t count) {
  Allocation* allocation = find(address);
  return allocation != nullptr && !allocation->freed && allocation->holds(address, count) ? allocation : nullptr;
}

std::size_t Heap::used(int device) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = used_.find(device);
  return found == used_.end() ? 0 : found->second;
}

std::vector<const Allocation*> Heap::live() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<const Allocation*> all;
  for (const auto& [address, allocation] : allocations_)
    if (!allocation->freed) all.push_back(allocation.get());
  return all;
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// All memory that kernels reach by global addresses: device allocations, module variables, and the host memory that the
// runtime made visible (pinned, managed). Each allocation carries what the checks know about its bytes.
//
// A device address is never a host address: the region that device allocations are numbered from is reserved and not
// readable, so that host code which follows a device pointer faults as it would with a GPU. The bytes live elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory/uses.h"

namespace vgpu {

class GlobalShadow;  // memory/shadow.h: initialised bytes, and who touched them last

struct Allocation {
  // kMalloc: by malloc in a kernel.
  enum class Kind : std::uint8_t { kDevice, kManaged, kPinned, kVariable, kConstant, kMalloc };
  Kind kind;
  std::uint64_t address;  // what kernels and, for pinned and managed memory, the host use
  std::size_t size;
  std::byte* bytes;  // where the bytes are
  std::atomic<bool> freed{false};
  bool adopted = false;  // the bytes are the program's own
  std::string name;      // of a variable; else "allocation N", N counting from 1
  int device = 0;
  std::unique_ptr<GlobalShadow> shadow;

  ~Allocation();
  bool holds(std::uint64_t first, std::size_t count) const {
    return first >= address && first - address <= size && count <= size - (first - address);
  }
};

class Heap {
 public:
  Heap();
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // `alignment` is a power of two up to 4096; device allocations are at least 256-aligned, and between any two lies a gap
  // that belongs to nobody. Null where the device's memory of `limit` bytes is used up. size > 0.
  Allocation* allocate(Allocation::Kind kind, std::size_t size, int device, std::string name = "");

  // Memory of the host that is already there, as pinned memory of the size, until it is released. Null where it overlaps with
  // something known.
  Allocation* adopt(void* host, std::size_t size, int device);

  // The allocation stays known as freed, its addresses are not used again, so that a late access is told from a wild one;
  // its bytes go back to the system. Adopted memory is as if it had never been known. False: not the start of a live
  // allocation.
  bool release(std::uint64_t address);

  // Like release(), but for a kernel, whose other threads may be using the memory at this moment: the bytes and the shadow
  // stay mapped until discard_retired().
  bool retire(std::uint64_t address);
  // Discards what was retired. No kernel may be running.
  void discard_retired();

  // The work that runs now uses these bytes of a live allocation. Threads may call this at once.
  void mark(const Allocation& allocation, Use use, std::size_t offset, std::size_t count);
  // The allocations that were marked since the last call; freed ones may be among them.
  std::vector<const Allocation*> take_marked();

  // The live or freed allocation that holds the address or lies closest before it (for messages); null: none.
  Allocation* find(std::uint64_t address);
  Allocation* holding(std::uint64_t address, std::size_t count);  // live and all inside; else null
  // Whether the address is one that allocations are given, now or at another time.
  bool reserves(std::uint64_t address) const { return address - region_ < kRegion; }

  void set_limit(std::size_t bytes) { limit_ = bytes; }
  std::size_t limit() const { return limit_; }
  std::size_t used(int device) const;  // by device and managed allocations
  std::vector<const Allocation*> live() const;

 private:
  Allocation* end_life(std::uint64_t address);  // marks a live allocation as freed; null: none begins there

  static constexpr std::size_t kRegion = std::size_t{16} << 40;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<Allocation>> allocations_;  // by address
  std::uint64_t region_ = 0;                                          // first device address
  std::uint64_t next_ = 0;
  std::vector<Allocation*> retired_;
  std::vector<const Allocation*> marked_;
  std::vector<std::unique_ptr<Allocation>> forgotten_;  // adopted ones; others may be looking at them
  std::size_t limit_ = std::size_t{16} << 30;           // of each device
  std::map<int, std::size_t> used_;                     // by device
  std::size_t count_ = 0;
};

}  // namespace vgpu

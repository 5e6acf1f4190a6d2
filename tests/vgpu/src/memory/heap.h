// SPDX-License-Identifier: Apache-2.0
//
// All memory that kernels reach through global addresses: device allocations, module variables, and the host memory
// that the runtime has made visible (pinned, managed). Each allocation has a shadow, in which the checks keep their
// state.
//
// Device addresses come from a region that is reserved but not readable, so that host code which dereferences a device
// pointer faults as it would with a GPU. The bytes are mapped elsewhere.
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

class GlobalShadow;  // memory/shadow.h

struct Allocation {
  // kMalloc: allocated by malloc in a kernel.
  enum class Kind : std::uint8_t { kDevice, kManaged, kPinned, kVariable, kConstant, kMalloc };
  Kind kind;
  std::uint64_t address;  // the address in kernels and, for pinned and managed memory, also on the host
  std::size_t size;
  std::byte* bytes;  // where the host finds the bytes, [size]; null after they were discarded
  std::atomic<bool> freed{false};
  bool adopted = false;  // the program owns the bytes (cudaHostRegister)
  std::string name;      // the name of a variable, or "allocation N", counted from 1
  int device = 0;
  std::uint64_t launch = 0;  // kMalloc: the launch whose kernel allocated it, counted from 1
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

  // Device allocations are aligned to 256 bytes, and any two allocations are separated by unused addresses. Returns
  // null if the device has no memory left (limit()). `size` must be positive.
  Allocation* allocate(Allocation::Kind kind, std::size_t size, int device, std::string name = "");

  // Treats existing host memory as pinned memory until it is released. Returns null if it overlaps a known allocation.
  Allocation* adopt(void* host, std::size_t size, int device);

  // Returns the bytes to the system. The allocation remains recorded as freed and its addresses are not reused, so that
  // a use after free can be distinguished from a wild pointer. Adopted memory is forgotten instead. Returns false if no
  // live allocation begins at the address.
  bool release(std::uint64_t address);

  // Does the same as release() on behalf of a kernel, whose other threads may be using the memory at this moment: the
  // bytes and the shadow remain accessible until discard_retired().
  bool retire(std::uint64_t address);
  // Discards the memory that was retired. No kernel may be running.
  void discard_retired();

  // Records that the current work uses these bytes of a live allocation. May be called concurrently.
  void mark(const Allocation& allocation, Use use, std::size_t offset, std::size_t count);
  // Returns the allocations that were marked since the last call; some of them may have been freed since.
  std::vector<const Allocation*> take_marked();

  // Returns the live or freed allocation that contains the address, or the closest one before it (for messages).
  // Returns null if there is none.
  Allocation* find(std::uint64_t address);
  Allocation* holding(std::uint64_t address, std::size_t count);  // a live one that contains all bytes, or null
  // Returns whether the address is in the region that device addresses come from.
  bool reserves(std::uint64_t address) const { return address - region_ < kRegion; }

  void set_limit(std::size_t bytes) { limit_ = bytes; }
  std::size_t limit() const { return limit_; }
  std::size_t used(int device) const;  // bytes of device and managed allocations
  std::vector<const Allocation*> live() const;

 private:
  Allocation* end_life(std::uint64_t address);  // marks a live allocation as freed; null if none begins there

  static constexpr std::size_t kRegion = std::size_t{16} << 40;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<Allocation>> allocations_;  // by address
  std::uint64_t region_ = 0;                                          // first device address
  std::uint64_t next_ = 0;
  std::vector<Allocation*> retired_;
  std::vector<const Allocation*> marked_;
  std::vector<std::unique_ptr<Allocation>>
      forgotten_;  // adopted allocations that were released; pointers to them may still be in use
  std::size_t limit_ = std::size_t{32} << 30;  // of each device; only what a program touches takes memory here
  std::map<int, std::size_t> used_;            // by device
  std::size_t count_ = 0;
};

}  // namespace vgpu

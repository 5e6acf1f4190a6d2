// SPDX-License-Identifier: Apache-2.0
//
// Tests addresses: which allocation contains an address, which devices may access it, and that addresses are never
// reused.
#include "memory/heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "memory/shadow.h"

namespace vgpu {
namespace {

using Kind = Allocation::Kind;

TEST(HeapTest, DeviceAddressesAreAlignedTo256AndNoMore) {
  Heap heap;
  for (const std::size_t size : {1, 100, 256, 5000, 1 << 20}) {
    const Allocation* allocation = heap.allocate(Kind::kDevice, size, 0);
    ASSERT_NE(allocation, nullptr);
    EXPECT_EQ(allocation->address % 512, 256u);
  }
}

TEST(HeapTest, MallocInAKernelAlignsTo16AndNoMore) {
  Heap heap;
  for (const std::size_t size : {1, 16, 48}) {
    const Allocation* allocation = heap.allocate(Kind::kMalloc, size, 0);
    ASSERT_NE(allocation, nullptr);
    EXPECT_EQ(allocation->address % 32, 16u);
  }
}

TEST(HeapTest, AllocationsKeepApart) {
  Heap heap;
  const Allocation* first = heap.allocate(Kind::kDevice, 1 << 20, 0);
  const Allocation* second = heap.allocate(Kind::kDevice, 64, 0);
  EXPECT_GE(second->address, first->address + 2 * (1 << 20));  // a gap as large as the first allocation
  EXPECT_EQ(heap.holding(first->address + (1 << 20), 1), nullptr);
  EXPECT_EQ(heap.find(first->address + (1 << 20)), first);
}

TEST(HeapTest, ARangeIsHeldWholeOrNotAtAll) {
  Heap heap;
  const Allocation* allocation = heap.allocate(Kind::kDevice, 400, 0);
  const std::uint64_t address = allocation->address;
  EXPECT_EQ(heap.holding(address, 400), allocation);
  EXPECT_EQ(heap.holding(address + 399, 1), allocation);
  EXPECT_EQ(heap.holding(address + 1, 400), nullptr);
  EXPECT_EQ(heap.holding(address - 1, 1), nullptr);
  EXPECT_EQ(heap.holding(address, static_cast<std::size_t>(-1)), nullptr);
}

TEST(HeapTest, FreedMemoryStaysKnownAndItsAddressesUnused) {
  Heap heap;
  Allocation* allocation = heap.allocate(Kind::kDevice, 400, 0);
  const std::uint64_t address = allocation->address;
  EXPECT_FALSE(heap.release(address + 4));
  EXPECT_TRUE(heap.release(address));
  EXPECT_FALSE(heap.release(address));
  EXPECT_EQ(heap.find(address), allocation);
  EXPECT_TRUE(allocation->freed);
  EXPECT_EQ(heap.holding(address, 1), nullptr);
  std::set<std::uint64_t> seen{address};
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t next = heap.allocate(Kind::kDevice, 400, 0)->address;
    EXPECT_TRUE(seen.insert(next).second);
    heap.release(next);
  }
  EXPECT_TRUE(heap.live().empty());
}

TEST(HeapTest, TheLimitCountsDeviceAndManagedMemory) {
  Heap heap;
  heap.set_limit(1000);
  EXPECT_EQ(heap.allocate(Kind::kDevice, 1001, 0), nullptr);
  const Allocation* device = heap.allocate(Kind::kDevice, 600, 0);
  ASSERT_NE(device, nullptr);
  EXPECT_NE(heap.allocate(Kind::kPinned, 5000, 0), nullptr);
  EXPECT_EQ(heap.used(0), 600u);
  EXPECT_EQ(heap.allocate(Kind::kManaged, 401, 0), nullptr);
  EXPECT_NE(heap.allocate(Kind::kManaged, 400, 0), nullptr);
  EXPECT_EQ(heap.used(0), 1000u);
  heap.release(device->address);
  EXPECT_EQ(heap.used(0), 400u);
  EXPECT_NE(heap.allocate(Kind::kDevice, 1000, 1), nullptr);  // each device has the same capacity
  EXPECT_EQ(heap.used(1), 1000u);
}

TEST(HeapTest, PinnedAndManagedMemoryLieAtTheirOwnAddress) {
  Heap heap;
  for (const Kind kind : {Kind::kPinned, Kind::kManaged}) {
    const Allocation* allocation = heap.allocate(kind, 100, 0);
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(allocation->bytes), allocation->address);
    std::memset(allocation->bytes, 7, 100);
    EXPECT_TRUE(allocation->shadow->initialised(0, 100));  // the host may have written this memory
  }
  const Allocation* device = heap.allocate(Kind::kDevice, 100, 0);
  EXPECT_NE(reinterpret_cast<std::uint64_t>(device->bytes), device->address);
  EXPECT_FALSE(device->shadow->initialised(0, 1));
}

TEST(HeapTest, OnlyPagesOfHostMemoryAreReadable) {
  Heap heap;
  const Allocation* device = heap.allocate(Kind::kDevice, 100, 0);
  EXPECT_DEATH(std::memset(reinterpret_cast<void*>(device->address), 0, 1), "");
  const Allocation* pinned = heap.allocate(Kind::kPinned, 100, 0);
  const std::uint64_t address = pinned->address;
  heap.release(address);
  EXPECT_DEATH(std::memset(reinterpret_cast<void*>(address), 0, 1), "");
}

TEST(HeapTest, NamesCountAllocationsAndKeepThoseOfVariables) {
  Heap heap;
  EXPECT_EQ(heap.allocate(Kind::kDevice, 4, 0)->name, "allocation 1");
  EXPECT_EQ(heap.allocate(Kind::kVariable, 4, 0, "table")->name, "table");
  EXPECT_EQ(heap.allocate(Kind::kDevice, 4, 0)->name, "allocation 2");
}

TEST(HeapTest, AdoptedMemoryIsTheHostsAndForgottenWhenItIsReleased) {
  Heap heap;
  std::vector<std::byte> bytes(100);
  const auto address = reinterpret_cast<std::uint64_t>(bytes.data());
  Allocation* allocation = heap.adopt(bytes.data() + 10, 20, 0);
  ASSERT_NE(allocation, nullptr);
  EXPECT_EQ(heap.holding(address + 10, 20), allocation);
  EXPECT_TRUE(allocation->shadow->initialised(0, 20));
  EXPECT_EQ(heap.adopt(bytes.data(), 11, 0), nullptr);
  EXPECT_EQ(heap.adopt(bytes.data() + 29, 10, 0), nullptr);
  EXPECT_NE(heap.adopt(bytes.data(), 10, 0), nullptr);
  EXPECT_TRUE(heap.release(address + 10));
  EXPECT_FALSE(heap.release(address + 10));
  EXPECT_FALSE(heap.find(address + 10)->holds(address + 10, 1));
  EXPECT_NE(heap.adopt(bytes.data() + 10, 90, 0), nullptr);
  const std::uint64_t device = heap.allocate(Kind::kDevice, 100, 0)->address;
  EXPECT_EQ(heap.adopt(reinterpret_cast<void*>(device + 4096), 10, 0), nullptr);
}

}  // namespace
}  // namespace vgpu

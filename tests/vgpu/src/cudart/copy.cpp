// SPDX-License-Identifier: Apache-2.0
#include "cudart/copy.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "cudart/runtime.h"
#include "memory/shadow.h"

namespace vgpu::cudart {
namespace {

// The host reads uninitialised memory as this byte, which makes a NaN in every floating-point type.
constexpr int kPoison = 0xff;

std::size_t span_of(const Region& region, const Extent& extent) {
  return (extent.slices - 1) * region.slice_pitch + (extent.rows - 1) * region.pitch + extent.width;
}

// Returns the allocation, valid or freed, that contains the address, or null for pageable host memory. Fails for any
// other address.
const Allocation* allocation_at(std::uint64_t address) {
  Heap& heap = runtime().heap;
  const Allocation* allocation = heap.find(address);
  if (allocation != nullptr && allocation->holds(address, 1)) return allocation;
  require(!heap.reserves(address));
  return nullptr;
}

// Returns whether a range that begins in an allocation also ends in it.
bool whole(const Allocation* allocation, std::uint64_t address, std::size_t count) {
  return allocation == nullptr || (!allocation->freed && allocation->holds(address, count));
}

// Managed memory counts as both host and device memory.
bool on_host(const Allocation* allocation) {
  return allocation == nullptr || allocation->kind == Allocation::Kind::kPinned ||
         allocation->kind == Allocation::Kind::kManaged;
}

bool on_device(const Allocation* allocation) {
  return allocation != nullptr && allocation->kind != Allocation::Kind::kPinned;
}

// Pinned memory is accepted at either end of any copy.
bool fits(const Allocation* allocation, bool wants_device) {
  return wants_device ? allocation != nullptr : on_host(allocation);
}

void check_direction(const Allocation* to, const Allocation* from, cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyDefault:
      return;
    case cudaMemcpyHostToHost:
    case cudaMemcpyHostToDevice:
    case cudaMemcpyDeviceToHost:
    case cudaMemcpyDeviceToDevice:
      require(fits(to, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice));
      require(fits(from, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice));
      return;
    default:
      fail(cudaErrorInvalidMemcpyDirection);
  }
}

std::byte* bytes_at(const Allocation* allocation, std::uint64_t address) {
  return allocation == nullptr ? reinterpret_cast<std::byte*>(address)
                               : allocation->bytes + (address - allocation->address);
}

void mark(const Allocation* allocation, Use use, std::uint64_t address, std::size_t count) {
  if (allocation != nullptr && runtime().options.check_races)
    runtime().heap.mark(*allocation, use, address - allocation->address, count);
}

// Copies the shadow of initialised bytes with the row. A destination without a shadow receives a marker value instead.
void copy_row(const Allocation* to, std::uint64_t to_address, const Allocation* from, const std::byte* source,
              std::uint64_t from_address, std::size_t width) {
  std::byte* target = bytes_at(to, to_address);
  mark(to, Use::kWrite, to_address, width);
  mark(from, Use::kRead, from_address, width);
  std::memmove(target, source, width);
  GlobalShadow* target_shadow = on_host(to) ? nullptr : to->shadow.get();
  if (!on_device(from)) {
    if (target_shadow != nullptr) target_shadow->set_initialised(to_address - to->address, width, true);
    return;
  }
  const std::size_t offset = from_address - from->address;
  if (target_shadow != nullptr) {
    target_shadow->copy_initialised(*from->shadow, offset, to_address - to->address, width);
  } else if (!from->shadow->initialised(offset, width)) {
    for (std::size_t i = 0; i < width; ++i)
      if (!from->shadow->initialised(offset + i, 1)) std::memset(target + i, kPoison, 1);
  }
}

Region region_of(const cudaPitchedPtr& pointer, const cudaPos& position) {
  const std::size_t slice_pitch = pointer.pitch * pointer.ysize;
  return {address_of(pointer.ptr) + position.z * slice_pitch + position.y * pointer.pitch + position.x, pointer.pitch,
          slice_pitch};
}

void stage(CopyWork& copy) {
  const std::size_t span = span_of(copy.from, copy.extent);
  copy.staged.resize(span);
  std::memcpy(copy.staged.data(), pointer_to(copy.from.address), span);
}

// Returns the allocation at an address that was valid when the work was issued. It is looked up again when the work
// runs, since it may have been freed.
const Allocation* still_at(const Region& region, const Extent& extent) {
  const Allocation* allocation = allocation_at(region.address);
  if (whole(allocation, region.address, span_of(region, extent))) return allocation;
  say(fmt::format("copy or fill at {:#x}: {} was freed after the call that issued it", region.address,
                  allocation->name));
  fail(cudaErrorIllegalAddress);
}

}  // namespace

CopyWork linear_copy(void* to, const void* from, std::size_t count, cudaMemcpyKind kind) {
  CopyWork copy;
  copy.to.address = address_of(to);
  copy.from.address = address_of(from);
  copy.extent.width = count;
  copy.kind = kind;
  return copy;
}

CopyWork copy_of(const cudaMemcpy3DParms* parameters) {
  require(parameters != nullptr);
  if (parameters->srcArray != nullptr || parameters->dstArray != nullptr) refuse("a copy with a CUDA array");
  CopyWork copy;
  copy.to = region_of(parameters->dstPtr, parameters->dstPos);
  copy.from = region_of(parameters->srcPtr, parameters->srcPos);
  copy.extent = {parameters->extent.width, parameters->extent.height, parameters->extent.depth};
  copy.kind = parameters->kind;
  if (copy.extent.rows > 1 || copy.extent.slices > 1)
    require(copy.extent.width <= copy.to.pitch && copy.extent.width <= copy.from.pitch, cudaErrorInvalidPitchValue);
  return copy;
}

SetWork set_of(const cudaMemsetParams* parameters) {
  require(parameters != nullptr);
  const unsigned size = parameters->elementSize;
  require(size == 1 || size == 2 || size == 4);
  SetWork set;
  set.to.address = address_of(parameters->dst);
  set.to.pitch = parameters->pitch;
  set.extent = {parameters->width * size, parameters->height, 1};
  set.value = parameters->value;
  set.element_size = size;
  require(parameters->height <= 1 || set.extent.width <= parameters->pitch, cudaErrorInvalidPitchValue);
  return set;
}

void check(const CopyWork& copy) {
  if (copy.extent.empty()) return;
  require(copy.to.address != 0 && copy.from.address != 0);
  const Allocation* to = allocation_at(copy.to.address);
  const Allocation* from = allocation_at(copy.from.address);
  require(whole(to, copy.to.address, span_of(copy.to, copy.extent)));
  require(whole(from, copy.from.address, span_of(copy.from, copy.extent)));
  check_direction(to, from, copy.kind);
}

void check(const SetWork& set) {
  if (set.extent.empty()) return;
  const Allocation* to = allocation_at(set.to.address);
  require(to != nullptr && whole(to, set.to.address, span_of(set.to, set.extent)));
}

void issue_copy(Stream& stream, CopyWork copy, Blocking blocking) {
  check(copy);
  if (copy.extent.empty()) return;
  if (blocking == Blocking::kYes) require_safe_call();
  if (stream.capture != nullptr) {
    issue(stream, std::move(copy));
    return;
  }
  const Allocation* to = allocation_at(copy.to.address);
  const Allocation* from = allocation_at(copy.from.address);
  const bool is_staged = from == nullptr && on_device(to);
  if (is_staged) {
    if (blocking == Blocking::kYes) synchronize(stream);
    stage(copy);
  }
  issue(stream, std::move(copy));
  if (is_staged) return;
  const bool waits =
      blocking == Blocking::kYes ? on_host(to) || on_host(from) : to == nullptr || (!on_device(to) && !on_device(from));
  if (waits) synchronize(stream);
}

void issue_set(Stream& stream, SetWork set, Blocking blocking) {
  check(set);
  if (set.extent.empty()) return;
  if (blocking == Blocking::kYes) require_safe_call();
  const bool waits = blocking == Blocking::kYes && on_host(allocation_at(set.to.address));
  issue(stream, std::move(set));
  if (waits) synchronize(stream);
}

void perform_copy(const CopyWork& copy) {
  if (copy.extent.empty()) return;
  const Allocation* to = still_at(copy.to, copy.extent);
  const bool is_staged = !copy.staged.empty();
  const Allocation* from = is_staged ? nullptr : still_at(copy.from, copy.extent);
  for (std::size_t slice = 0; slice < copy.extent.slices; ++slice) {
    for (std::size_t row = 0; row < copy.extent.rows; ++row) {
      const std::size_t to_offset = slice * copy.to.slice_pitch + row * copy.to.pitch;
      const std::size_t from_offset = slice * copy.from.slice_pitch + row * copy.from.pitch;
      const std::uint64_t from_address = copy.from.address + from_offset;
      const std::byte* source = is_staged ? copy.staged.data() + from_offset : bytes_at(from, from_address);
      copy_row(to, copy.to.address + to_offset, from, source, from_address, copy.extent.width);
    }
  }
}

void perform_set(const SetWork& set) {
  if (set.extent.empty()) return;
  const Allocation* to = still_at(set.to, set.extent);
  for (std::size_t slice = 0; slice < set.extent.slices; ++slice) {
    for (std::size_t row = 0; row < set.extent.rows; ++row) {
      const std::uint64_t address = set.to.address + slice * set.to.slice_pitch + row * set.to.pitch;
      std::byte* bytes = bytes_at(to, address);
      if (set.element_size == 1) {
        std::memset(bytes, static_cast<int>(set.value & 0xff), set.extent.width);
      } else {
        for (std::size_t i = 0; i < set.extent.width; i += set.element_size)
          std::memcpy(bytes + i, &set.value, set.element_size);
      }
      mark(to, Use::kWrite, address, set.extent.width);
      to->shadow->set_initialised(address - to->address, set.extent.width, true);
    }
  }
}

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
#include "exec/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "exec/block.h"
#include "exec/instructions/lanes.h"
#include "exec/race_check.h"
#include "exec/reports.h"
#include "exec/stall.h"
#include "exec/traffic.h"

namespace vgpu {
namespace {

using ptx::Space;
using Kind = Access::Kind;

std::string name_of(const ptx::Variable& variable) {
  return fmt::format("local variable {} ({} bytes)", variable.name, variable.size);
}

// In most accesses all lanes are active, which gives the loop a fixed length.
template <class F>
void each_of(Mask lanes, F f) {
  if (lanes != kAllLanes) return for_each_lane(lanes, f);
  for (unsigned lane = 0; lane < kLanes; ++lane) f(lane);
}

// The lanes of an access whose addresses lie in the same memory (allocation or state space).
struct Part {
  Warp& warp;
  Access& access;
  Mask lanes;
  const std::uint64_t* at;                                // by lane: the address, or the offset in the memory
  std::uint64_t lowest = ~std::uint64_t{0}, highest = 0;  // of `at`

  Part(Warp& of, Access& what, Mask which, const std::uint64_t* places)
      : warp(of), access(what), lanes(which), at(places) {
    each_of(lanes, [&](unsigned lane) {
      lowest = std::min(lowest, at[lane]);
      highest = std::max(highest, at[lane]);
    });
  }

  unsigned first() const { return static_cast<unsigned>(__builtin_ctz(lanes)); }
  std::uint64_t extent() const { return highest - lowest + access.bytes; }
  Checks& checks() const { return warp.block().checks(); }
  Counters& counters() const { return warp.block().counters(); }

  [[noreturn]] void fail(unsigned lane, Finding::Kind kind, const std::string& why) const {
    warp.block().fail(warp, lane, kind, access_text(access, lane) + ", " + why);
  }

  // Fails the block unless the bytes that every lane accesses lie within the first `size` bytes of the memory.
  template <class Why>
  void check_bounds(std::uint64_t size, Why why) const {
    const auto outside = [&](std::uint64_t place) { return place > size || access.bytes > size - place; };
    if (!outside(highest)) return;
    for_each_lane(lanes, [&](unsigned lane) {
      if (outside(at[lane])) fail(lane, Finding::Kind::kIllegalAddress, why());
    });
  }

  // Sets the host pointers. `memory` is the host pointer of the address or offset `base`.
  void set_hosts(std::byte* memory, std::uint64_t base) const {
    each_of(lanes, [&](unsigned lane) { access.host[lane] = memory + (at[lane] - base); });
  }

  // Marks written bytes as initialised, and checks that the bytes of other accesses are. The first flag belongs to the
  // address or offset `base`.
  void check_initialised(ByteFlags& flags, std::uint64_t base) const {
    constexpr std::uint64_t kDense = 1024;
    if (access.asynchronous || (access.kind != Kind::kWrite && !checks().initialised())) return;
    if (extent() <= kDense && flags.all(lowest - base, extent())) return;
    for_each_lane(lanes, [&](unsigned lane) {
      if (access.kind == Kind::kWrite) {
        flags.set_aligned(at[lane] - base, access.bytes);
      } else if (!flags.all_aligned(at[lane] - base, access.bytes)) {
        uninitialised(
            lane, "which nothing has written since it was allocated",
            [&](std::size_t first, std::size_t bytes) { return flags.all_aligned(at[lane] - base + first, bytes); });
      }
    });
  }

  // A load of an uninitialised value is only a fault once something depends on that value; other accesses fail at once.
  template <class Initialised>
  void uninitialised(unsigned lane, const std::string& why, Initialised initialised) const {
    const Code& code = warp.code();
    if (access.kind != Kind::kRead || (code.source->opcode != "ld" && code.source->opcode != "ldu"))
      fail(lane, Finding::Kind::kUninitialised, why);
    const auto finding = std::make_shared<const Finding>(
        warp.block().finding(warp, lane, code, Finding::Kind::kUninitialised, access_text(access, lane) + ", " + why));
    const ptx::Operand& loaded = code.source->operands[0];
    const bool is_vector = loaded.kind == ptx::Operand::Kind::kVector;
    for (std::size_t element = 0; element < code.elements; ++element) {
      if (initialised(element * code.bytes, std::size_t{code.bytes})) continue;
      warp.undefined().add(warp, is_vector ? loaded.elements[element] : loaded, lane, finding);
    }
  }

  // Records the access for stall detection. `allocation` is null for shared memory.
  void note_use(const Allocation* allocation) const {
    if (access.kind == Kind::kWrite) warp.block().note_change();
    if (access.kind != Kind::kWrite && warp.observer() != nullptr)
      warp.observer()->saw(warp, access, first(), allocation);
  }

  void mark_read(const Allocation& allocation) const {
    if (checks().order() == nullptr) return;
    Heap& heap = *warp.block().launch().heap;
    const auto mark = [&](std::uint64_t place) {
      heap.mark(allocation, Use::kRead, place - allocation.address, access.bytes);
    };
    if (lowest == highest) return mark(lowest);
    for_each_lane(lanes, [&](unsigned lane) { mark(at[lane]); });
  }

  void check_order(std::uint64_t base, AccessHistory& history, Locations& locations,
                   const Allocation* allocation) const {
    if (checks().order() == nullptr) return;
    check_races(warp, access, lanes, at, base, history, allocation);
    if (access.strong) synchronise(warp, access, lanes, at, locations);
  }
};

void in_shared(const Part& part) {
  SharedMemory& shared = part.warp.block().shared();
  part.check_bounds(shared.size(), [&] {
    return fmt::format("outside of the {} bytes of shared memory that the block has", shared.size());
  });
  part.set_hosts(shared.bytes(0), 0);
  part.note_use(nullptr);
  count_shared(part.counters(), part.access, part.lanes, part.at);
  part.check_order(0, shared.history(), part.checks().shared_locations(), nullptr);
  part.check_initialised(shared.initialised_bytes(), 0);
}

// A lane may access the local variables of its own call and of its callers, but must not cross the end of a variable.
void check_local_bounds(const Part& part, unsigned lane) {
  const std::uint64_t offset = part.at[lane];
  const Frame* frame = part.warp.split().frame;
  while (offset < frame->local_base) frame = frame->caller;
  const LocalVariable* before = nullptr;
  for (const LocalVariable& variable : frame->function->local_variables) {
    if (frame->local_base + variable.site.offset > offset) break;
    before = &variable;
  }
  if (before == nullptr) part.fail(lane, Finding::Kind::kIllegalAddress, "where the thread has no variable");
  const std::uint64_t end = frame->local_base + before->site.offset + before->site.size;
  if (offset + part.access.bytes <= end) return;
  part.fail(lane, Finding::Kind::kIllegalAddress,
            offset < end ? "across the end of " + name_of(*before->variable)
                         : fmt::format("{} bytes past the end of {}", offset - end, name_of(*before->variable)));
}

void in_local(const Part& part) {
  LocalMemory& local = part.warp.local();
  ++part.counters().local_requests;
  for_each_lane(part.lanes, [&](unsigned lane) {
    check_local_bounds(part, lane);
    part.access.host[lane] = local.bytes(lane, part.at[lane]);
    if (part.access.kind == Kind::kWrite) {
      local.set_initialised(lane, part.at[lane], part.access.bytes);
    } else if (part.checks().initialised() && !local.initialised(lane, part.at[lane], part.access.bytes)) {
      part.uninitialised(
          lane, "which this call of the function has not written",
          [&](std::size_t first, std::size_t bytes) { return local.initialised(lane, part.at[lane] + first, bytes); });
    }
  });
}

void in_parameters(const Part& part) {
  const auto& parameters = part.warp.block().launch().parameters;
  if (part.access.kind != Kind::kRead)
    part.fail(part.first(), Finding::Kind::kIllegalAddress, "among the parameters of the kernel, which are constant");
  part.check_bounds(parameters.size(), [&] {
    return fmt::format("outside of the {} bytes of parameters that the kernel has", parameters.size());
  });
  part.set_hosts(const_cast<std::byte*>(parameters.data()), 0);
}

// Checks and resolves lanes that all address the same allocation.
void in_allocation(const Part& part, Allocation& allocation) {
  const bool is_constant = allocation.kind == Allocation::Kind::kConstant;
  if (is_constant && part.access.kind != Kind::kRead)
    part.fail(part.first(), Finding::Kind::kIllegalAddress, "in __constant__ memory");
  part.set_hosts(allocation.bytes, allocation.address);
  part.note_use(&allocation);
  if (is_constant) {
    part.mark_read(allocation);
  } else {
    part.check_order(allocation.address, allocation.shadow->history(), part.checks().global_locations(), &allocation);
  }
  part.check_initialised(allocation.shadow->initialised_bytes(), allocation.address);
}

void in_global(const Part& part) {
  count_global(part.counters(), part.access, part.lanes, part.at);
  Allocation* whole = part.checks().holding(part.lowest, part.extent());
  if (whole != nullptr) return in_allocation(part, *whole);
  const std::uint64_t bytes = part.access.bytes;
  for (Mask left = part.lanes; left != 0;) {
    const auto first = static_cast<unsigned>(__builtin_ctz(left));
    Allocation* allocation = part.checks().holding(part.at[first], bytes);
    if (allocation == nullptr)
      part.fail(first, Finding::Kind::kIllegalAddress,
                missed_text(*part.warp.block().launch().heap, part.at[first], bytes));
    Mask here = 0;
    for_each_lane(left, [&](unsigned lane) { here |= Mask{allocation->holds(part.at[lane], bytes)} << lane; });
    in_allocation({part.warp, part.access, here, part.at}, *allocation);
    left &= ~here;
  }
}

void resolve_in(Space space, const Part& part) {
  switch (space) {
    case Space::kShared:
      return in_shared(part);
    case Space::kLocal:
      return in_local(part);
    case Space::kParam:
      return in_parameters(part);
    default:
      return in_global(part);
  }
}

}  // namespace

void read_addresses(Warp& warp, Slot base, bool narrow, std::int64_t offset, Access& access) {
  if (narrow) {
    const std::uint32_t* from = warp.lanes<std::uint32_t>(base);
    for (unsigned lane = 0; lane < kLanes; ++lane)
      access.address[lane] = std::uint32_t{from[lane] + static_cast<std::uint32_t>(offset)};
  } else {
    const std::uint64_t* from = warp.lanes<std::uint64_t>(base);
    for (unsigned lane = 0; lane < kLanes; ++lane)
      access.address[lane] = from[lane] + static_cast<std::uint64_t>(offset);
  }
}

void resolve(Warp& warp, Access& access) {
  const Mask active = warp.active() & access.lanes;
  if (access.strong && access.kind == Kind::kRead) {
    warp.look();
  } else if (access.kind != Kind::kAtomic) {
    warp.work();
  }
  if (warp.block().checks().order() != nullptr) warp.block().checks().acquire_now(warp);
  const Part whole(warp, access, active, access.address.data());
  const std::uint64_t alignment = access.alignment != 0 ? access.alignment : access.bytes;
  std::uint64_t bits = 0;
  each_of(active, [&](unsigned lane) { bits |= access.address[lane]; });
  if ((bits & (alignment - 1)) != 0)
    for_each_lane(active, [&](unsigned lane) {
      if (access.address[lane] % alignment != 0)
        whole.fail(lane, Finding::Kind::kMisaligned, fmt::format("which is not a multiple of {}", alignment));
    });
  if (access.space != Space::kGeneric) return resolve_in(access.space, whole);

  std::array<std::uint64_t, kLanes> at{};
  for (Mask left = active; left != 0;) {
    const Space space = space_of(access.address[__builtin_ctz(left)]);
    Mask here = 0;
    for_each_lane(left, [&](unsigned lane) {
      if (space_of(access.address[lane]) != space) return;
      here |= Mask{1} << lane;
      at[lane] = access.address[lane] - window_of(space);
    });
    resolve_in(space, {warp, access, here, at.data()});
    left &= ~here;
  }
}

}  // namespace vgpu

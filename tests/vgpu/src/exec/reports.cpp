// SPDX-License-Identifier: Apache-2.0
#include "exec/reports.h"

#include <fmt/format.h>

#include "exec/block.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kNear = std::uint64_t{1} << 30;

const char* verb(Access::Kind kind) {
  switch (kind) {
    case Access::Kind::kRead:
      return "read";
    case Access::Kind::kWrite:
      return "write";
    case Access::Kind::kFree:
      return "free";
    default:
      return "atomic operation";
  }
}

// Returns a text such as "PTX line 12 (file.cu:3)".
std::string line_text(const ptx::Module& module, std::uint32_t line) {
  std::string text = fmt::format("PTX line {}", line);
  for (const auto& [name, function] : module.functions)
    for (const ptx::Instruction& instruction : function.body) {
      if (instruction.place.line != line) continue;
      const auto file = module.files.find(instruction.place.file);
      if (file == module.files.end()) return text;
      return text + fmt::format(" ({}:{})", file->second, instruction.place.file_line);
    }
  return text;
}

std::string thread_text(const Dim3& block, std::uint64_t thread) {
  return fmt::format("thread ({}, {}, {})", thread % block.x, thread / block.x % block.y,
                     thread / (std::uint64_t{block.x} * block.y));
}

std::string block_text(const Dim3& grid, std::uint64_t block) {
  return fmt::format("block ({}, {}, {})", block % grid.x, block / grid.x % grid.y,
                     block / (std::uint64_t{grid.x} * grid.y));
}

// Names the thread that made the earlier access, as in "thread (1, 0, 0) of block (2, 0, 0)".
std::string actor_text(const Warp& warp, unsigned lane, const Touch& touch) {
  const Block& block = warp.block();
  const bool same_block = touch.block == static_cast<std::uint32_t>(block.index());
  if (touch.warp() >= (block.launch().block.count() + kLanes - 1) / kLanes) return "an asynchronous copy";
  LaneSet lanes = touch.lanes;
  if (same_block && touch.warp() == warp.index() && (lanes & ~(Mask{1} << lane)) != 0) lanes &= ~(Mask{1} << lane);
  const auto other_lane = static_cast<unsigned>(__builtin_ctz(lanes));
  const std::string thread = thread_text(block.launch().block, std::uint64_t{touch.warp()} * kLanes + other_lane);
  return same_block ? thread : thread + " of " + block_text(block.launch().grid, touch.block);
}

}  // namespace

std::string name_of(const Allocation& allocation) {
  const bool is_variable =
      allocation.kind == Allocation::Kind::kVariable || allocation.kind == Allocation::Kind::kConstant;
  return fmt::format("{}{} ({} bytes{})", is_variable ? "variable " : "", allocation.name, allocation.size,
                     allocation.freed ? ", freed" : "");
}

std::string access_text(const Access& access, unsigned lane) {
  std::uint64_t address = access.address[lane];
  ptx::Space space = access.space;
  if (space == ptx::Space::kGeneric) {
    space = space_of(address);
    address -= window_of(space);
  }
  const char* where = space == ptx::Space::kShared ? "shared " : space == ptx::Space::kLocal ? "local " : "";
  return fmt::format("{} of {} bytes at {}{:#x}", verb(access.kind), access.bytes, where, address);
}

std::string missed_text(Heap& heap, std::uint64_t address, std::size_t bytes) {
  const Allocation* before = heap.find(address);
  if (before != nullptr && before->holds(address, bytes)) return "in " + name_of(*before);
  const std::uint64_t end = before == nullptr ? 0 : before->address + before->size;
  if (before != nullptr && address < end)
    return fmt::format("whose last {} bytes lie past the end of {}", address + bytes - end, name_of(*before));
  const Allocation* after = nullptr;
  for (const Allocation* live : heap.live())
    if (live->address > address && (after == nullptr || live->address < after->address)) after = live;
  const std::uint64_t past = before == nullptr ? kNear : address - end;
  const std::uint64_t ahead = after == nullptr ? kNear : after->address - address;
  if (past >= kNear && ahead >= kNear) return "in no allocation nor near one";
  if (past <= ahead) return fmt::format("{} bytes past the end of {}", past, name_of(*before));
  return fmt::format("{} bytes before {}", ahead, name_of(*after));
}

std::string not_freeable_text(Heap& heap, std::uint64_t address) {
  const Allocation* allocation = heap.find(address);
  if (allocation == nullptr || allocation->freed || !allocation->holds(address, 1))
    return missed_text(heap, address, 1);
  const std::string name = name_of(*allocation);
  if (allocation->kind != Allocation::Kind::kMalloc) return "in " + name + ", which malloc in a kernel did not return";
  return fmt::format("{} bytes into {}: expected the address that malloc returned", address - allocation->address,
                     name);
}

std::string race_text(const Warp& warp, const Access& access, unsigned lane, const Touch& other, bool wrote) {
  const std::string who = actor_text(warp, lane, other);
  const std::string where = line_text(warp.block().grid().program->module(), other.line());
  if (other.pending())
    return fmt::format("{}, which an asynchronous copy of {}, begun at {}, will write: nobody has waited for it",
                       access_text(access, lane), who, where);
  return fmt::format("{} and the {} at {} by {}: nothing orders them", access_text(access, lane),
                     wrote ? "write" : "read", where, who);
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/system_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "exec/access.h"
#include "exec/block.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/printf.h"
#include "exec/race_check.h"
#include "exec/reports.h"
#include "memory/heap.h"
#include "memory/shadow.h"

namespace vgpu {
namespace {

// ---- arguments and results ------------------------------------------------------------------------------------------

const CallData& call_of(const Code& code) { return *static_cast<const CallData*>(code.data.get()); }

std::uint64_t argument(Warp& warp, const Code& code, std::size_t index, unsigned lane) {
  const Site& site = call_of(code).arguments[index];
  std::uint64_t value = 0;
  std::memcpy(&value, warp.local().bytes(lane, warp.split().frame->local_base + site.offset), site.size);
  return value;
}

void set_result(Warp& warp, const Code& code, unsigned lane, std::uint64_t value) {
  const Site& site = call_of(code).results[0];
  const std::size_t offset = warp.split().frame->local_base + site.offset;
  std::memcpy(warp.local().bytes(lane, offset), &value, site.size);
  warp.local().set_initialised(lane, offset, site.size);
}

// Returns the value that the lane reads at a generic address.
std::uint64_t value_at(Warp& warp, unsigned lane, std::uint64_t address, std::uint32_t size) {
  Access access{Access::Kind::kRead, ptx::Space::kGeneric, size};
  access.address[lane] = address;
  access.lanes = Mask{1} << lane;
  resolve(warp, access);
  std::uint64_t value = 0;
  std::memcpy(&value, access.host[lane], size);
  return value;
}

std::string string_at(Warp& warp, unsigned lane, std::uint64_t address) {
  std::string text;
  while (const auto character = static_cast<char>(value_at(warp, lane, address + text.size(), 1))) text += character;
  return text;
}

// ---- the functions --------------------------------------------------------------------------------------------------

// vprintf(format, arguments): each argument is aligned to its size. Returns the number of arguments that the format
// takes, or -1 if the format is null. Its reads are not counted as memory traffic, since on a GPU the host performs
// them.
void run_vprintf(Warp& warp, const Code& code) {
  const Counters before = warp.block().counters();
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint64_t text = argument(warp, code, 0, lane);
    if (text == 0) {
      set_result(warp, code, lane, 0xffffffffu);
      return;
    }
    std::uint64_t at = argument(warp, code, 1, lane);
    PrintfSource source;
    source.argument = [&](std::uint32_t size) {
      at = (at + size - 1) / size * size;
      const std::uint64_t value = value_at(warp, lane, at, size);
      at += size;
      return value;
    };
    source.string_at = [&](std::uint64_t address) { return string_at(warp, lane, address); };
    const Printed printed = formatted(string_at(warp, lane, text), source);
    warp.block().printed() += printed.text;
    set_result(warp, code, lane, static_cast<std::uint32_t>(printed.arguments));
  });
  warp.block().counters() = before;
  warp.block().note_change();
}

// __assertfail(condition, file, line, function, size of a character)
void run_assertfail(Warp& warp, const Code& code) {
  const auto lane = static_cast<unsigned>(__builtin_ctz(warp.active()));
  const auto text = [&](std::size_t index) { return string_at(warp, lane, argument(warp, code, index, lane)); };
  warp.block().fail(warp, lane, Finding::Kind::kAssert,
                    fmt::format("`{}`, {}:{}, in {}", text(0), text(1), argument(warp, code, 2, lane), text(3)));
}

// The device heap is unlimited (cudaLimitMallocHeapSize is not modelled).
void run_malloc(Warp& warp, const Code& code) {
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint64_t size = argument(warp, code, 0, lane);
    Allocation* allocation = nullptr;
    warp.block().note_change();
    if (size > 0) allocation = warp.block().launch().heap->allocate(Allocation::Kind::kMalloc, size, 0);
    if (allocation != nullptr) allocation->launch = warp.block().grid().id;
    set_result(warp, code, lane, allocation == nullptr ? 0 : allocation->address);
  });
}

// For race detection, freeing memory counts as writing all of it.
void check_free_races(Warp& warp, unsigned lane, Allocation& allocation) {
  Checks& checks = warp.block().checks();
  if (checks.order() == nullptr) return;
  checks.acquire_now(warp);
  Access access{Access::Kind::kFree, ptx::Space::kGlobal, static_cast<std::uint32_t>(allocation.size)};
  access.address[lane] = allocation.address;
  check_races(warp, access, Mask{1} << lane, access.address.data(), allocation.address, allocation.shadow->history(),
              &allocation);
}

void run_free(Warp& warp, const Code& code) {
  Heap& heap = *warp.block().launch().heap;
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint64_t address = argument(warp, code, 0, lane);
    if (address == 0) return;
    warp.block().note_change();
    Allocation* allocation = heap.holding(address, 1);
    const bool is_freeable =
        allocation != nullptr && allocation->kind == Allocation::Kind::kMalloc && allocation->address == address;
    if (is_freeable) check_free_races(warp, lane, *allocation);
    if (!is_freeable || !heap.retire(address))
      warp.block().fail(warp, lane, Finding::Kind::kIllegalAddress,
                        fmt::format("free of {:#x}, {}", address, not_freeable_text(heap, address)));
  });
}

struct Row {
  const char* name;
  std::vector<std::uint32_t> arguments, results;  // sizes in bytes
  Handler run;
};

bool fits(const std::vector<Site>& sites, const std::vector<std::uint32_t>& sizes) {
  return std::equal(sites.begin(), sites.end(), sizes.begin(), sizes.end(),
                    [](const Site& site, std::uint32_t size) { return site.size == size; });
}

}  // namespace

Handler system_call(const std::string& name, const CallData& call) {
  static const std::vector<Row> table = {
      {"vprintf", {8, 8}, {4}, run_vprintf},
      {"__assertfail", {8, 8, 4, 8, 8}, {}, run_assertfail},
      {"malloc", {8}, {8}, run_malloc},
      {"free", {8}, {}, run_free},
  };
  for (const Row& row : table)
    if (name == row.name && fits(call.arguments, row.arguments) && fits(call.results, row.results)) return row.run;
  return nullptr;
}

}  // namespace vgpu

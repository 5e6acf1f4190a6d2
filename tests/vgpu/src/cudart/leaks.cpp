// SPDX-License-Identifier: Apache-2.0
//
// With VGPU_LEAKS=1, resources that the program never freed are listed when the process ends, and an exit status of 0
// becomes 3.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

constexpr int kLeakStatus = 3;

const char* name_of(Allocation::Kind kind) {
  switch (kind) {
    case Allocation::Kind::kPinned:
      return "pinned host";
    case Allocation::Kind::kManaged:
      return "managed";
    case Allocation::Kind::kMalloc:
      return "kernel heap";
    default:
      return "device";
  }
}

int leaked(std::size_t count, const char* what) {
  if (count > 0) say(fmt::format("leak: {} of {}", count, what));
  return count > 0 ? 1 : 0;
}

// Only allocations by the program, or by malloc in a kernel, count as leaks.
bool is_leak(const Runtime& state, const Allocation& allocation) {
  return allocation.kind == Allocation::Kind::kMalloc || state.allocated.count(allocation.address) != 0;
}

int list_leaks() {
  Runtime& state = runtime();
  const std::lock_guard<std::mutex> lock(state.mutex);
  int found = 0;
  for (const Allocation* allocation : state.heap.live()) {
    if (!is_leak(state, *allocation)) continue;
    say(fmt::format("leak: {} ({} memory, {} bytes at {:#x}, device {})", allocation->name, name_of(allocation->kind),
                    allocation->size, allocation->address, allocation->device));
    ++found;
  }
  std::size_t streams = 0, pools = 0;
  for (const auto& device : state.devices) {
    streams += device->streams.size();
    pools += device->pools.size();
  }
  return found + leaked(streams, "streams") + leaked(state.events.size(), "events") +
         leaked(state.graphs.size(), "graphs") + leaked(state.graph_execs.size(), "executable graphs") +
         leaked(pools, "memory pools");
}

bool wanted() {
  const char* value = std::getenv("VGPU_LEAKS");
  return value != nullptr && std::string(value) == "1";
}

// The destructors of a library run after those of everything that uses it, so static objects have freed their resources
// by then. The exit status becomes known separately, before or after that, so the report waits for both.
bool others_are_gone = false;
std::optional<int> exit_status;

void report() {
  if (!others_are_gone || !exit_status || list_leaks() == 0) return;
  std::fflush(nullptr);
  _exit(*exit_status == 0 ? kLeakStatus : *exit_status);
}

void take_status(int status, void*) {
  exit_status = status;
  report();
}

__attribute__((constructor)) void watch_status() {
  if (wanted()) on_exit(take_status, nullptr);
}

__attribute__((destructor)) void see_others_gone() {
  others_are_gone = true;
  report();
}

}  // namespace
}  // namespace vgpu::cudart

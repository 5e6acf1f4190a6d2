// SPDX-License-Identifier: Apache-2.0
#include "cudart/work.h"

#include <fmt/format.h>

#include <utility>

#include "cudart/copy.h"
#include "cudart/kernel.h"
#include "cudart/library_work.h"
#include "cudart/runtime.h"
#include "exec/reports.h"
#include "memory/shadow.h"

namespace vgpu::cudart {
namespace {

// Executes work. Events and child graphs have been converted to dependencies before anything runs.
struct Performer {
  void operator()(const Nothing&) const {}
  void operator()(const KernelWork& kernel) const { perform_kernel(kernel); }
  void operator()(const LibraryWork& work) const { perform_library_work(work); }
  void operator()(const CopyWork& copy) const { perform_copy(copy); }
  void operator()(const SetWork& set) const { perform_set(set); }
  void operator()(const AllocateWork& work) const { take_over(work.address); }
  void operator()(const FreeWork& work) const { take_over(work.address); }
  void operator()(const GraphMemoryWork& work) const {
    const Allocation* allocation = take_over(work.memory->address());
    if (allocation != nullptr) allocation->shadow->set_initialised(0, allocation->size, false);
  }
  void operator()(const HostWork& host) const {
    in_host_function() = true;
    host.function(host.argument);
    in_host_function() = false;
  }
  void operator()(const RecordWork&) const {}
  void operator()(const WaitWork&) const {}
  void operator()(const GraphWork&) const {}

  // Allocating and freeing memory count as writes to all of it, since every use must be ordered after the allocation
  // and before the free.
  static const Allocation* take_over(std::uint64_t address) {
    const Allocation* allocation = runtime().heap.holding(address, 1);
    if (allocation != nullptr && runtime().options.check_races)
      runtime().heap.mark(*allocation, Use::kWrite, 0, allocation->size);
    return allocation;
  }
};

struct Label {
  std::string operator()(const KernelWork& work) const { return "kernel " + work.name; }
  std::string operator()(const LibraryWork& work) const { return "kernel " + work.name; }
  std::string operator()(const CopyWork& work) const {
    return fmt::format("the copy of {} bytes from {:#x} to {:#x}", bytes(work.extent), work.from.address,
                       work.to.address);
  }
  std::string operator()(const SetWork& work) const {
    return fmt::format("the fill of {} bytes at {:#x}", bytes(work.extent), work.to.address);
  }
  std::string operator()(const AllocateWork&) const { return "the allocation of that memory"; }
  std::string operator()(const FreeWork&) const { return "the release of that memory"; }
  std::string operator()(const GraphMemoryWork& work) const {
    return work.frees ? "the release of that memory" : "the allocation of that memory";
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "";
  }

  static std::size_t bytes(const Extent& extent) { return extent.width * extent.rows * extent.slices; }
};

const char* verb(bool writes) { return writes ? "write" : "read"; }

// Compares the memory that the operation has used with the uses by earlier operations. Returns the text of a race, or
// an empty string.
std::string settle(const Moment& moment) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  const Precedence& precedence = runtime().engine.precedence();
  std::string race;
  for (const Allocation* allocation : runtime().heap.take_marked()) {
    if (allocation->shadow == nullptr) continue;  // freed by a kernel
    const auto conflict = allocation->shadow->uses().settle(
        moment.number, precedence.first(),
        [&](std::uint64_t earlier) { return precedence.comes_after(moment, earlier); });
    if (!conflict || !race.empty()) continue;
    race = fmt::format("race: {} by {} and {} by {}: nothing orders them\n  at {:#x}, byte {} of {}",
                       verb(conflict->writes_now), precedence.label(moment.number), verb(conflict->wrote_earlier),
                       precedence.label(conflict->earlier_work), allocation->address + conflict->offset,
                       conflict->offset, name_of(*allocation));
  }
  return race;
}

void perform(const Work& work, const Moment& moment) {
  // Host functions use no memory that is recorded, and run concurrently with other work.
  if (std::holds_alternative<HostWork>(work)) return std::visit(Performer{}, work);
  try {
    std::visit(Performer{}, work);
  } catch (...) {
    settle(moment);
    throw;
  }
  const std::string race = settle(moment);
  if (const auto* free = std::get_if<FreeWork>(&work)) runtime().heap.release(free->address);
  if (race.empty()) return;
  say(race);
  fail(cudaErrorLaunchFailure);
}

}  // namespace

GraphMemory::GraphMemory(std::size_t size, int device)
    : address_(runtime().allocate(Allocation::Kind::kDevice, size, device).address), size_(size) {}

GraphMemory::~GraphMemory() { runtime().heap.release(address_); }

OperationPtr submit(int device, std::vector<OperationPtr> after, Work work, const std::string& where) {
  using Place = Operation::Place;
  const auto* host = std::get_if<HostWork>(&work);
  const Place place = host == nullptr        ? Place::kDevice
                      : host->despite_faults ? Place::kHostDespiteFaults
                                             : Place::kHost;
  std::string label = std::visit(Label{}, work) + " in " + where;
  const OperationPtr operation = runtime().engine.submit(device, std::move(after), nullptr, place, std::move(label));
  // The engine runs nothing until this thread releases the runtime's mutex.
  operation->work = [work = std::move(work), moment = &operation->moment] { perform(work, *moment); };
  return operation;
}

}  // namespace vgpu::cudart

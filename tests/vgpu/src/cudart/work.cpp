// SPDX-License-Identifier: Apache-2.0
#include "cudart/work.h"

#include <utility>

#include "cudart/copy.h"
#include "cudart/kernel.h"
#include "cudart/library_work.h"
#include "cudart/runtime.h"
#include "memory/shadow.h"

namespace vgpu::cudart {
namespace {

// Events and inner graphs have become dependencies before anything is performed.
struct Performer {
  void operator()(const Nothing&) const {}
  void operator()(const KernelWork& kernel) const { perform_kernel(kernel); }
  void operator()(const LibraryWork& work) const { perform_library_work(work); }
  void operator()(const CopyWork& copy) const { perform_copy(copy); }
  void operator()(const SetWork& set) const { perform_set(set); }
  void operator()(const FreeWork& free) const { runtime().heap.release(free.address); }
  void operator()(const GraphMemoryWork& work) const {
    const Allocation* allocation = runtime().heap.holding(work.memory->address(), work.memory->size());
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
};

}  // namespace

GraphMemory::GraphMemory(std::size_t size, int device)
    : address_(runtime().allocate(Allocation::Kind::kDevice, size, device).address), size_(size) {}

GraphMemory::~GraphMemory() { runtime().heap.release(address_); }

OperationPtr submit(int device, std::vector<OperationPtr> after, Work work) {
  using Place = Operation::Place;
  const auto* host = std::get_if<HostWork>(&work);
  const Place place = host == nullptr        ? Place::kDevice
                      : host->despite_faults ? Place::kHostDespiteFaults
                                             : Place::kHost;
  return runtime().engine.submit(
      device, std::move(after), [work = std::move(work)] { std::visit(Performer{}, work); }, place);
}

}  // namespace vgpu::cudart

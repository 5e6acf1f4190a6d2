// SPDX-License-Identifier: Apache-2.0
//
// The work of a stream operation or a graph node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/engine.h"
#include "cudart/vgpu.h"
#include "exec/launch.h"

namespace vgpu::cudart {

struct Device;

struct Nothing {};

struct KernelWork {
  const CUkern_st* kernel;  // may be unregistered by the time the work runs
  std::string name;
  std::shared_ptr<const LoadedModule> module;
  const Device* device;
  Dim3 grid, block;
  std::size_t dynamic_shared = 0;
  bool cooperative = false;
  std::vector<std::byte> parameters;
};

// A computation submitted by the stand-in for a library.
struct LibraryWork {
  std::string name;
  int device;
  std::vector<vgpu_range_t> ranges;
  void (*run)(void*);
  std::shared_ptr<void> argument;
};

// A 3-D region of bytes in memory, which consists of slices of rows.
struct Region {
  std::uint64_t address = 0;
  std::size_t pitch = 0;        // bytes from one row to the next
  std::size_t slice_pitch = 0;  // bytes from one slice to the next
};

struct Extent {
  std::size_t width = 0;  // in bytes
  std::size_t rows = 1;
  std::size_t slices = 1;
  bool empty() const { return width == 0 || rows == 0 || slices == 0; }
};

struct CopyWork {
  Region to, from;
  Extent extent;
  cudaMemcpyKind kind = cudaMemcpyDefault;
  // The bytes copied from pageable host memory when the copy was issued. If empty, the source is read when the copy
  // runs.
  std::vector<std::byte> staged;
};

struct SetWork {
  Region to;
  Extent extent;
  std::uint32_t value = 0;
  unsigned element_size = 1;  // 1, 2 or 4
};

struct HostWork {
  cudaHostFn_t function;
  void* argument;
  std::shared_ptr<void> owner{};  // owns the argument unless the program does
  bool despite_faults = false;
};

// Makes the memory of a pool valid from here until it is freed.
struct AllocateWork {
  std::uint64_t address;
};
struct FreeWork {
  std::uint64_t address;
};

// Memory that a graph allocates when it runs. Its address is fixed when the node is created, and the memory is released
// with the last graph that uses it. Its contents do not persist between launches.
class GraphMemory {
 public:
  GraphMemory(std::size_t size, int device);
  ~GraphMemory();
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;
  std::uint64_t address() const { return address_; }
  std::size_t size() const { return size_; }

 private:
  std::uint64_t address_;
  std::size_t size_;
};

struct GraphMemoryWork {
  std::shared_ptr<GraphMemory> memory;
  bool frees;
};

// These only occur in graphs and are converted to dependencies between operations at a launch.
struct RecordWork {
  cudaEvent_t event;
};
struct WaitWork {
  cudaEvent_t event;
};
struct GraphWork {
  std::shared_ptr<const struct Plan> plan;
};

using Work = std::variant<Nothing, KernelWork, LibraryWork, CopyWork, SetWork, HostWork, AllocateWork, FreeWork,
                          GraphMemoryWork, RecordWork, WaitWork, GraphWork>;

// Submits an operation that does the work after `after`. If the work fails, its error becomes the device's error.
// `where` is used in messages, for example "stream 5".
OperationPtr submit(int device, std::vector<OperationPtr> after, Work work, const std::string& where);

}  // namespace vgpu::cudart

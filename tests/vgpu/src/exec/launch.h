// SPDX-License-Identifier: Apache-2.0
//
// The interface of the executor, which loads modules and runs grids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/counters.h"
#include "memory/heap.h"
#include "ptx/module.h"

namespace vgpu {

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
  std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

// The device properties that the executor uses.
struct DeviceLimits {
  std::uint32_t architecture = 90;  // compute capability: 90 for sm_90
  std::uint32_t multiprocessors = 132;
};

// A fault of a kernel. `kind` determines the error code that the runtime returns.
struct Finding {
  enum class Kind : std::uint8_t {
    kIllegalAddress,  // out of bounds, use after free, or an address that was never allocated
    kMisaligned,
    kUninitialised,
    kRace,              // in shared or global memory
    kDivergentBarrier,  // bar.sync by part of a warp, a barrier that not all threads reach, shfl from an inactive lane
    kAsyncCopy,         // data of cp.async accessed before waiting for it
    kAssert,
    kTrap,
    kIllegalInstruction,  // also one that is not supported; the text names it
    kStackOverflow,
    kDeadlock,
  };
  Kind kind;
  std::string what;  // "read of 4 bytes at 0x..., 8 bytes past the end of allocation 3 (400 bytes)"
  std::string kernel;
  ptx::Place place;
  std::string file;  // name of the file that place.file refers to; empty if unknown
  std::string instruction;
  std::array<std::uint32_t, 3> block{}, thread{};

  std::string text() const;  // several lines, for people to read
};

// The options for running a grid. options_from_environment() reads them from the environment.
struct Options {
  unsigned workers = 0;    // host threads; 0: one per core
  std::uint64_t seed = 0;  // 0: blocks and warps run in ascending order; otherwise the seed of a shuffled order
  std::uint64_t perturb =
      0;  // 0: special functions are correctly rounded; otherwise perturbed within the bounds of PTX, by this seed
  bool check_initialised = true;
  bool check_races = true;
};
Options options_from_environment();  // VGPU_WORKERS, VGPU_SEED, VGPU_PERTURB, VGPU_CHECKS=all|memory

class Program;  // exec/program.h

// A module bound to a device: its variables have addresses, and its functions are decoded on first use.
class LoadedModule {
 public:
  // Throws ptx::Error.
  LoadedModule(const std::string& text, Heap& heap, int device, const DeviceLimits& limits);
  ~LoadedModule();

  bool has_kernel(const std::string& name) const;
  // Returns null if there is no such variable.
  Allocation* variable(const std::string& name) const;

  struct KernelInfo {
    std::vector<std::size_t> parameter_offsets;
    std::vector<std::size_t> parameter_sizes;
    std::size_t parameter_bytes = 0;
    std::size_t static_shared = 0;
    std::size_t local_bytes = 0;
    std::uint32_t registers = 0;  // an estimate, since PTX has virtual registers
    std::uint32_t max_threads = 1024;
    std::optional<Dim3> required_cluster;
  };
  KernelInfo info(const std::string& kernel) const;  // throws ptx::Error for an unknown name or instruction

  Program& program() const { return *program_; }

 private:
  std::unique_ptr<Program> program_;
};

struct Launch {
  const LoadedModule* module;
  std::string kernel;
  Dim3 grid, block;
  std::size_t dynamic_shared = 0;
  std::vector<std::byte> parameters;  // laid out as described by KernelInfo
  bool cooperative = false;
  Heap* heap = nullptr;
  DeviceLimits limits;
  Options options;
};

struct LaunchResult {
  std::optional<Finding> finding;  // the first finding, which ended the grid
  Counters counters;
  std::string printed;  // output of printf, in block order
};

// Runs the whole grid until it completes or the first finding ends it.
LaunchResult run(const Launch& launch);

}  // namespace vgpu

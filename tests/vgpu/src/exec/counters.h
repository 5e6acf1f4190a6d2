// SPDX-License-Identifier: Apache-2.0
//
// Exact counts of what a launch executed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vgpu {

// The pipe that issues an instruction on GPUs since sm_70.
enum class Pipe : std::uint8_t { kFma, kAlu, kSpecial, kFp64, kTensor, kLoadStore, kControl };
constexpr std::size_t kPipes = 7;
constexpr const char* kPipeNames[kPipes] = {"fma", "alu", "special", "fp64", "tensor", "load_store", "control"};

struct Counters {
  std::array<std::uint64_t, kPipes> warp_instructions{};    // instructions issued, counted once per warp
  std::array<std::uint64_t, kPipes> thread_instructions{};  // counted once per active lane
  std::uint64_t global_loads = 0, global_stores = 0;        // requests: warp instructions that accessed global memory
  std::uint64_t global_load_bytes = 0, global_store_bytes = 0;  // bytes that lanes requested
  // Sectors of 32 bytes, each counted once per request.
  std::uint64_t global_load_sectors = 0, global_store_sectors = 0;
  std::uint64_t global_atomics = 0;
  std::uint64_t shared_requests = 0,
                shared_wavefronts = 0;  // a request without bank conflicts takes one wavefront per 128 bytes
  std::uint64_t shared_conflicts = 0;   // wavefronts in addition to those
  std::uint64_t local_requests = 0;
  std::uint64_t branches = 0, divergent_branches = 0;
  std::uint64_t barriers = 0;  // arrivals of warps at bar.sync
  std::uint64_t blocks = 0, warps = 0;

  Counters& operator+=(const Counters& other);
};

}  // namespace vgpu

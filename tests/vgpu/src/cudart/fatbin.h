// SPDX-License-Identifier: Apache-2.0
//
// The container in which nvcc embeds device code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vgpu::cudart {

struct Image {
  enum class Scope : std::uint8_t { kUpwards, kArchitecture, kFamily };  // compute_90, compute_90a, compute_100f
  bool ptx = false;                                                      // false for machine code
  std::uint32_t architecture = 0;
  Scope scope = Scope::kUpwards;
  bool compressed = false;
  const char* data = nullptr;
  std::size_t size = 0;

  bool runs_on(std::uint32_t device_architecture) const;
};

bool is_fatbin(const void* data);

// Return the images of a fat binary, or of the wrapper that is passed to __cudaRegisterFatBinary. They throw
// std::runtime_error if the data is not a fat binary.
std::vector<Image> fatbin_images(const void* data);
std::vector<Image> wrapped_images(const void* wrapper);

// Returns the PTX that a device of this architecture runs: of the usable images, the one for the highest architecture.
// Returns null if there is none.
const Image* choose_ptx(const std::vector<Image>& images, std::uint32_t device_architecture);

}  // namespace vgpu::cudart

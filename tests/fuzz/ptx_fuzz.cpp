// SPDX-License-Identifier: Apache-2.0
//
// Bytes as PTX, which the virtual GPU parses or refuses.
#include "ptx/module.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  try {
    vgpu::ptx::parse({reinterpret_cast<const char*>(bytes), count});
  } catch (const vgpu::ptx::Error&) {
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Formats the output of printf in a kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace vgpu {

struct PrintfSource {
  std::function<std::uint64_t(std::size_t)> argument;   // returns the next argument, of 4 or 8 bytes
  std::function<std::string(std::uint64_t)> string_at;  // returns the string at an address
};

struct Printed {
  std::string text;
  std::int32_t arguments = 0;  // number of arguments used
};

// Unknown conversion specifiers are printed unchanged.
Printed formatted(const std::string& text, const PrintfSource& source);

}  // namespace vgpu

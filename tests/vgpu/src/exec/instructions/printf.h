// SPDX-License-Identifier: Apache-2.0
//
// The text that printf in a kernel makes of its arguments.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace vgpu {

struct PrintfSource {
  std::function<std::uint64_t(std::size_t)> argument;   // the next, of 4 or 8 bytes
  std::function<std::string(std::uint64_t)> string_at;  // the string there
};

struct Printed {
  std::string text;
  std::int32_t arguments = 0;  // how many it has used
};

// A conversion that printf does not know is printed as it stands.
Printed formatted(const std::string& text, const PrintfSource& source);

}  // namespace vgpu

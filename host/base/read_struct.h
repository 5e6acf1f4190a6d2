// SPDX-License-Identifier: Apache-2.0
//
// How the structs of the C API grow. A new version only adds fields at the end of a struct, at or beyond the size that
// it had in its first release, and zero in a new field means what the library did before the field existed. So a
// smaller struct comes from an older caller, whose missing fields are zero, and a larger one from a newer caller, which
// can be served as long as the fields that this version does not know are zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "base/validate.h"

namespace attn::internal {

// sizeof(Struct) when it was first released. A struct that grows gets a specialisation.
template <class Struct>
inline constexpr std::size_t kFirstSize = sizeof(Struct);

// No struct will be as large: a size above this is a struct_size that the caller did not initialise.
inline constexpr std::size_t kMaxStructSize = 4096;

// The caller's struct with all fields that this version knows.
template <class Struct>
Struct read_struct(const char* name, const Struct* caller) {
  static_assert(std::is_trivially_copyable_v<Struct> && kFirstSize<Struct> <= sizeof(Struct));
  require_pointer(name, caller);
  const std::size_t size = caller->struct_size;
  if (size < kFirstSize<Struct> || size > kMaxStructSize)
    reject(std::string(name) + ".struct_size",
           std::to_string(kFirstSize<Struct>) + " to " + std::to_string(kMaxStructSize), std::to_string(size));
  const auto* const bytes = reinterpret_cast<const unsigned char*>(caller);
  if (size > sizeof(Struct) &&
      std::any_of(bytes + sizeof(Struct), bytes + size, [](unsigned char byte) { return byte; }))
    reject(std::string(name) + ".struct_size",
           "at most " + std::to_string(sizeof(Struct)) + ", or zeros in the fields beyond, which this version lacks",
           std::to_string(size));
  Struct known{};
  std::memcpy(&known, caller, std::min(size, sizeof(Struct)));
  known.struct_size = sizeof(Struct);
  return known;
}

}  // namespace attn::internal

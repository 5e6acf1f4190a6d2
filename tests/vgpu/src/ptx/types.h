// SPDX-License-Identifier: Apache-2.0
//
// The scalar types and state spaces of PTX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vgpu::ptx {

enum class Type : std::uint8_t {
  kNone,
  kPred,
  kB8,
  kB16,
  kB32,
  kB64,
  kB128,
  kU8,
  kU16,
  kU16x2,
  kU32,
  kU64,
  kS8,
  kS16,
  kS16x2,
  kS32,
  kS64,
  kF16,
  kF16x2,
  kBF16,
  kBF16x2,
  kTF32,
  kF32,
  kF32x2,
  kF64,
};

enum class Space : std::uint8_t { kGeneric, kGlobal, kShared, kLocal, kConst, kParam };

// Returns the type with this name, such as "f32" without the dot, or nothing for other words.
std::optional<Type> type_named(std::string_view name);
std::optional<Space> space_named(std::string_view name);  // includes "shared::cta"; "shared::cluster" is not modelled

std::size_t size_of(Type type);  // in bytes; a predicate counts as 1
bool is_signed(Type type);       // signed integer
bool is_float(Type type);

}  // namespace vgpu::ptx

// SPDX-License-Identifier: Apache-2.0
#include "ptx/types.h"

#include <array>

namespace vgpu::ptx {

namespace {

enum class Family : std::uint8_t { kBits, kUnsigned, kSigned, kFloat };

struct TypeRow {
  std::string_view name;
  Type type;
  std::uint8_t bytes;
  Family family;
};

constexpr std::array<TypeRow, 24> kTypes = {{
    {"pred", Type::kPred, 1, Family::kBits},       {"b8", Type::kB8, 1, Family::kBits},
    {"b16", Type::kB16, 2, Family::kBits},         {"b32", Type::kB32, 4, Family::kBits},
    {"b64", Type::kB64, 8, Family::kBits},         {"b128", Type::kB128, 16, Family::kBits},
    {"u8", Type::kU8, 1, Family::kUnsigned},       {"u16", Type::kU16, 2, Family::kUnsigned},
    {"u32", Type::kU32, 4, Family::kUnsigned},     {"u64", Type::kU64, 8, Family::kUnsigned},
    {"s8", Type::kS8, 1, Family::kSigned},         {"s16", Type::kS16, 2, Family::kSigned},
    {"s32", Type::kS32, 4, Family::kSigned},       {"s64", Type::kS64, 8, Family::kSigned},
    {"u16x2", Type::kU16x2, 4, Family::kUnsigned}, {"s16x2", Type::kS16x2, 4, Family::kSigned},
    {"f16", Type::kF16, 2, Family::kFloat},        {"f16x2", Type::kF16x2, 4, Family::kFloat},
    {"bf16", Type::kBF16, 2, Family::kFloat},      {"bf16x2", Type::kBF16x2, 4, Family::kFloat},
    {"tf32", Type::kTF32, 4, Family::kFloat},      {"f32", Type::kF32, 4, Family::kFloat},
    {"f32x2", Type::kF32x2, 8, Family::kFloat},    {"f64", Type::kF64, 8, Family::kFloat},
}};

struct SpaceRow {
  std::string_view name;
  Space space;
};

constexpr std::array<SpaceRow, 8> kSpaces = {{
    {"global", Space::kGlobal},
    {"shared", Space::kShared},
    {"shared::cta", Space::kShared},
    {"local", Space::kLocal},
    {"const", Space::kConst},
    {"param", Space::kParam},
    {"param::entry", Space::kParam},
    {"param::func", Space::kParam},
}};

const TypeRow* row_of(Type type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return &row;
  }
  return nullptr;  // kNone
}

}  // namespace

std::optional<Type> type_named(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::optional<Space> space_named(std::string_view name) {
  for (const SpaceRow& row : kSpaces) {
    if (row.name == name) return row.space;
  }
  return std::nullopt;
}

std::size_t size_of(Type type) {
  const TypeRow* row = row_of(type);
  return row == nullptr ? 0 : row->bytes;
}

bool is_signed(Type type) {
  const TypeRow* row = row_of(type);
  return row != nullptr && row->family == Family::kSigned;
}

bool is_float(Type type) {
  const TypeRow* row = row_of(type);
  return row != nullptr && row->family == Family::kFloat;
}

}  // namespace vgpu::ptx

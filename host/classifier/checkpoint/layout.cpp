// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/layout.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "classifier/checkpoint/header_reader.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

// Knows every dtype of the format, so that files of other programs load. Returns 0 for an unknown one.
std::uint64_t bits_of(const std::string& dtype) {
  static const std::map<std::string, std::uint64_t> bits = {
      {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
      {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
      {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};
  const auto found = bits.find(dtype);
  return found == bits.end() ? 0 : found->second;
}

// Each tensor must begin where the previous one ends, and the last one must end with the file.
void require_contiguous(const std::string& path, const std::vector<TensorRange>& ranges, std::uint64_t data_bytes) {
  std::uint64_t covered = 0;
  for (const TensorRange& range : ranges) {
    if (range.begin != covered) {
      refuse(path, "tensor \"" + range.name + "\": expected to begin at byte " + std::to_string(covered) +
                       " of the data, got " + std::to_string(range.begin) +
                       (range.begin < covered ? " (an overlap)" : " (a gap)"));
    }
    covered = range.end;
  }
  if (covered != data_bytes) {
    refuse(path, "expected " + std::to_string(covered) + " bytes of data after the header, got " +
                     std::to_string(data_bytes) +
                     (data_bytes < covered ? " (the file is truncated)" : " (something was appended)"));
  }
}

}  // namespace

std::uint64_t tensor_bytes(const std::string& where, const std::string& dtype, const std::vector<std::int64_t>& shape) {
  const std::uint64_t bits = bits_of(dtype);
  if (bits == 0) refuse(where + " dtype", "expected one of the format, got \"" + dtype + "\"");
  std::uint64_t product = bits;
  for (const std::int64_t size : shape) {
    if (size < 0) refuse(where + " shape", "expected sizes of at least 0, got " + std::to_string(size));
    if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(size), &product)) {
      refuse(where + " shape", "expected a product within 64 bits, got an overflow");
    }
  }
  if (product % 8 != 0) refuse(where + " shape", "expected whole bytes, got " + std::to_string(product) + " bits");
  return product / 8;
}

void assign_ranges(std::vector<TensorRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const TensorRange& a, const TensorRange& b) {
    return std::make_tuple(bits_of(b.dtype), a.name) < std::make_tuple(bits_of(a.dtype), b.name);
  });
  std::uint64_t covered = 0;
  for (TensorRange& range : ranges) {
    range.begin = covered;
    range.end = covered += tensor_bytes(range.name, range.dtype, range.shape);
  }
}

std::string header_text(const Layout& layout) {
  json header = json::object();
  if (!layout.metadata.empty()) header[kMetadata] = layout.metadata;
  for (const TensorRange& range : layout.ranges) {
    header[range.name] = {{"dtype", range.dtype}, {"shape", range.shape}, {"data_offsets", {range.begin, range.end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

Layout parse_header(const std::string& path, const std::string& text, std::uint64_t data_bytes) {
  Layout layout = read_header(path, text);
  std::sort(layout.ranges.begin(), layout.ranges.end(), [](const TensorRange& a, const TensorRange& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  require_contiguous(path, layout.ranges, data_bytes);
  return layout;
}

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/layout.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

constexpr const char* kMetadata = "__metadata__";

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

// The parser would keep the last of two equal keys. A file with duplicates is damaged or malicious.
json parse_without_duplicates(const std::string& path, const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      refuse(path, "header: expected each key once, got \"" + value.get<std::string>() + "\" twice");
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    refuse(path, "header: expected JSON, got an error at its byte " + std::to_string(error.byte));
  }
}

std::uint64_t unsigned_number(const std::string& where, const json& value) {
  if (!value.is_number_unsigned()) refuse(where, "expected an integer of at least 0, got " + value.dump());
  const auto number = value.get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    refuse(where, "expected an integer below 2^63, got " + value.dump());
  }
  return number;
}

TensorRange parse_range(const std::string& path, const std::string& name, const json& entry) {
  const std::string where = path + ": tensor \"" + name + "\"";
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry["dtype"].is_string() ||
      !entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets") ||
      !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) {
    refuse(where, "expected dtype, shape and two data_offsets, got something else");
  }
  TensorRange range{name, entry["dtype"].get<std::string>(), {}, 0, 0};
  for (const json& size : entry["shape"]) {
    range.shape.push_back(static_cast<std::int64_t>(unsigned_number(where + " shape", size)));
  }
  range.begin = unsigned_number(where + " data_offsets", entry["data_offsets"][0]);
  range.end = unsigned_number(where + " data_offsets", entry["data_offsets"][1]);
  const std::uint64_t bytes = tensor_bytes(where, range.dtype, range.shape);
  if (range.end < range.begin || range.end - range.begin != bytes) {
    refuse(where + " data_offsets", "expected " + std::to_string(bytes) + " bytes for its dtype and shape, got " +
                                        std::to_string(range.begin) + " to " + std::to_string(range.end));
  }
  return range;
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
  const json header = parse_without_duplicates(path, text);
  if (!header.is_object()) refuse(path, std::string("header: expected a JSON object, got ") + header.type_name());
  Layout layout;
  for (const auto& [key, value] : header.items()) {
    if (key != kMetadata) {
      layout.ranges.push_back(parse_range(path, key, value));
      continue;
    }
    if (!value.is_object()) refuse(path, std::string("metadata: expected an object, got ") + value.type_name());
    for (const auto& [name, text_value] : value.items()) {
      if (!text_value.is_string())
        refuse(path, "metadata \"" + name + "\": expected a string, got " + text_value.type_name());
      layout.metadata[name] = text_value.get<std::string>();
    }
  }
  std::sort(layout.ranges.begin(), layout.ranges.end(), [](const TensorRange& a, const TensorRange& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  require_contiguous(path, layout.ranges, data_bytes);
  return layout;
}

}  // namespace attn::classifier

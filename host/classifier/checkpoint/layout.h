// SPDX-License-Identifier: Apache-2.0
//
// The header of a safetensors file, and the checks after which its contents can be trusted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace attn::classifier {

// The format's own limit. It also bounds the memory that a damaged length can make us allocate.
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::uint64_t kLengthBytes = 8;
constexpr const char* kMetadata = "__metadata__";

struct TensorRange {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;  // of its bytes, relative to the end of the header
};

struct Layout {
  std::vector<TensorRange> ranges;  // in ascending order, without gaps
  std::map<std::string, std::string> metadata;
};

// Size of a tensor. Throws Failure naming `where` if the dtype is unknown, a size is negative or the result overflows.
std::uint64_t tensor_bytes(const std::string& where, const std::string& dtype, const std::vector<std::int64_t>& shape);

// Sorts tensors and sets their begin and end: tensors with wide elements come first, so that all are aligned to their
// elements, and equal widths are sorted by name, so that the same tensors always give the same file.
void assign_ranges(std::vector<TensorRange>& ranges);

// The JSON text of a header, padded with spaces so that the data starts at a multiple of 8.
std::string header_text(const Layout& layout);

// Throws Failure naming `path` unless `text` is a valid header that describes exactly `data_bytes` bytes.
Layout parse_header(const std::string& path, const std::string& text, std::uint64_t data_bytes);

}  // namespace attn::classifier

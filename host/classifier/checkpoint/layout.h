// SPDX-License-Identifier: Apache-2.0
//
// The header of a safetensors file: what it may say, and the checks that let everything behind it be trusted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace attn {

// Beyond this the format calls a header invalid; it also bounds what a damaged length can make us read.
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::uint64_t kLengthBytes = 8;

struct TensorPlace {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;  // of its bytes, counted from the end of the header
};

struct Layout {
  std::vector<TensorPlace> places;  // in the order of their bytes, which they cover without a gap
  std::map<std::string, std::string> metadata;
};

// Throws Failure, naming `where`, for an unknown dtype, a negative size or a product beyond 64 bits.
std::uint64_t tensor_bytes(const std::string& where, const std::string& dtype, const std::vector<std::int64_t>& shape);

// Where tensors of these dtypes and shapes go: wide elements first, then by name, so that each is aligned to its
// element and the same tensors give the same file. Fills begin and end.
void place_tensors(std::vector<TensorPlace>& places);

// Padded with spaces so that the data behind it starts at a multiple of 8.
std::string header_text(const Layout& layout);

// Throws Failure naming `path` unless the header describes exactly `data_bytes` bytes.
Layout parse_header(const std::string& path, const std::string& text, std::uint64_t data_bytes);

}  // namespace attn

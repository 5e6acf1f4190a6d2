// SPDX-License-Identifier: Apache-2.0
//
// Named tensors in a safetensors file: the length of the header (eight bytes, little-endian), a JSON header with dtypes,
// shapes, byte ranges and the string-to-string map "__metadata__", then the data. Python's package `safetensors` reads and
// writes the same format.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace attn::classifier {

struct Tensor {
  std::string dtype;                // "F32", "F64", "I32", "I64" or "U8"
  std::vector<std::int64_t> shape;  // row-major
  std::vector<std::byte> data;

  template <class T>
  static Tensor of(const std::vector<T>& values, std::vector<std::int64_t> shape);

  // Throws Failure naming `name` if the dtype is not that of T.
  template <class T>
  std::vector<T> values(const std::string& name) const;
};

struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Replaces the file `path` atomically, with the mode that write_atomically() gives it, and adds a checksum of the whole file to its metadata.
void save_tensors(const std::string& path, const TensorFile& file, mode_t mode = 0666);

// Throws Failure with the reason if the file is missing, truncated, longer than its header says or not of this format, if
// its tensors overlap or their sizes do not match their shapes, or if the checksum does not match. Files without a checksum,
// such as those written by Python, are accepted.
TensorFile load_tensors(const std::string& path);

}  // namespace attn::classifier

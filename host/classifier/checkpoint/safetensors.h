// SPDX-License-Identifier: Apache-2.0
//
// Named tensors in a safetensors file: eight bytes of little-endian header length, a JSON header of dtypes, shapes
// and byte ranges with a string-to-string "__metadata__", then the data. Python's `safetensors` reads what is written here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace attn {

struct Tensor {
  std::string dtype;                // "F32", "F64", "I32", "I64" or "U8"
  std::vector<std::int64_t> shape;  // row-major
  std::vector<std::byte> data;

  template <class T>
  static Tensor of(const std::vector<T>& values, std::vector<std::int64_t> shape);

  // Throws Failure where the dtype is not T's; `name` is for the message.
  template <class T>
  std::vector<T> values(const std::string& name) const;
};

struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Written to a temporary name in the same folder, flushed to the disk, renamed: a reader, or a crash, sees the old
// file or the new one. Adds a checksum of the whole file to the metadata.
void save_tensors(const std::string& path, const TensorFile& file);

// Refuses, with the reason, a file that is missing, truncated, longer than its header says, not of this format, with
// overlapping or misshapen tensors, or that does not match its checksum (a file without one, as Python writes it, is accepted).
TensorFile load_tensors(const std::string& path);

}  // namespace attn

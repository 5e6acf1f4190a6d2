// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets have in common: each input becomes a file, which is read as a user's would be.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "classifier/failure.h"
#include "classifier/temporary_folder.h"

namespace attn::classifier {

// Reads the file, which may be refused with a message that names it. Any other exception ends the program, which is a finding.
template <class Read>
void read_or_refuse(const std::string& path, const Read& read) {
  try {
    read();
  } catch (const Failure& failure) {
    if (std::string(failure.what()).find(path) != std::string::npos) return;
    std::fprintf(stderr, "expected a message that names %s, got: %s\n", path.c_str(), failure.what());
    std::abort();
  }
}

inline std::string as_text(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

// A safetensors file from a header, the end of a line, and the tensors' data. A fuzzer cannot guess the header's length,
// which it would have to write in front of it.
inline std::string safetensors_file(const std::string& header_and_data) {
  const std::uint64_t length = std::min(header_and_data.find('\n'), header_and_data.size());
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  file += header_and_data.substr(0, length);
  if (length < header_and_data.size()) file += header_and_data.substr(length + 1);
  return file;
}

}  // namespace attn::classifier

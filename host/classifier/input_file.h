// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace attn::classifier {

// A regular file that is read from its beginning. It is opened once and then asked for its size, so that another process
// can replace it meanwhile: the bytes are those of one file.
class InputFile {
 public:
  // `expected` is for the message, such as "a safetensors file". Throws Failure naming `path` if there is no such file, it
  // cannot be opened, or it is a folder, device, pipe or socket.
  InputFile(const std::string& path, const std::string& expected);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }

  // Reads the next `count` bytes. Throws Failure naming the path if there are fewer.
  void read(void* bytes, std::uint64_t count);

 private:
  std::string path_, expected_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
//
// The checksum in the header of our safetensors files: XXH3 of the whole file, computed with zeros in place of the
// checksum's own digits, so that it covers every other bit of header and data.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

struct XXH3_state_s;

namespace attn::classifier {

// Adds two metadata fields, so that damage to one of their keys does not yield a valid file without a checksum.
void add_checksum_fields(std::map<std::string, std::string>& metadata);

// Removes the two fields from the metadata and returns the digits, or "" if the file has no checksum. Throws Failure naming
// `path` if only one field is present or the checksum is of another kind.
std::string remove_checksum_fields(const std::string& path, std::map<std::string, std::string>& metadata);

// Overwrites the digits of the checksum in the text of a header.
void set_checksum_digits(std::string& header, const std::string& digits);

extern const char* const kZeroDigits;

class Checksum {
 public:
  Checksum();
  void add(const void* bytes, std::size_t count);
  std::string digits() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace attn::classifier

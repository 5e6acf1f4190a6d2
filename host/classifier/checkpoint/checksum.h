// SPDX-License-Identifier: Apache-2.0
//
// The checksum that our safetensors files carry in their own header: XXH3 of the whole file, in which the checksum's
// own digits count as zeros. Any other change of any bit, in header or data, changes it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

struct XXH3_state_s;

namespace attn {

// Two metadata keys, so that damage to one cannot turn our file into one without a checksum.
void add_checksum_fields(std::map<std::string, std::string>& metadata);

// Takes the two fields out of the metadata. Returns the digits, "" for a file without checksum; throws Failure naming
// `path` where only one is there or it is not of our kind.
std::string take_checksum_fields(const std::string& path, std::map<std::string, std::string>& metadata);

// Overwrites the checksum's digits inside the text of a header.
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

}  // namespace attn

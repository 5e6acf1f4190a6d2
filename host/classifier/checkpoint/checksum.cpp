// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/checksum.h"

#include <xxhash.h>

#include <cstdio>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

constexpr const char* kKey = "checksum";
constexpr const char* kKindKey = "checksum_kind";
constexpr const char* kKind = "XXH3-64 of this file with zeros as the checksum";
constexpr std::size_t kDigits = 16;

}  // namespace

const char* const kZeroDigits = "0000000000000000";

void add_checksum_fields(std::map<std::string, std::string>& metadata) {
  metadata[kKey] = kZeroDigits;
  metadata[kKindKey] = kKind;
}

std::string remove_checksum_fields(const std::string& path, std::map<std::string, std::string>& metadata) {
  if (metadata.count(kKey) + metadata.count(kKindKey) == 0) return "";
  const std::string digits = metadata[kKey];
  if (metadata[kKindKey] != kKind || digits.size() != kDigits) {
    throw Failure(ATTN_INVALID_ARGUMENT, path + ": checksum: expected 16 digits of \"" + kKind + "\", got \"" + digits +
                                             "\" of \"" + metadata[kKindKey] + "\"");
  }
  metadata.erase(kKey);
  metadata.erase(kKindKey);
  return digits;
}

void set_checksum_digits(std::string& header, const std::string& digits) {
  // Within a JSON string the quotes would be escaped, so a match can only be the key itself.
  const std::string field = std::string("\"") + kKey + "\":\"";
  const std::size_t position = header.find(field);
  if (position != std::string::npos) header.replace(position + field.size(), digits.size(), digits);
}

Checksum::Checksum() : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

void Checksum::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

void Checksum::add(const void* bytes, std::size_t count) { XXH3_64bits_update(state_.get(), bytes, count); }

std::string Checksum::digits() const {
  char text[kDigits + 1];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits_digest(state_.get())));
  return text;
}

}  // namespace attn::classifier

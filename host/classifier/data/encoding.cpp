// SPDX-License-Identifier: Apache-2.0
//
// Texts in encodings other than UTF-8.
#include <utf8.h>

#include <iterator>

#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

std::string from_latin_1(const std::string& content) {
  std::string text;
  for (const char c : content) utf8::append(static_cast<char32_t>(static_cast<unsigned char>(c)), text);
  return text;
}

std::string from_utf_16(const std::string& content, const std::string& where) {
  const std::string mark = content.substr(0, 2);
  if (mark != "\xFF\xFE" && mark != "\xFE\xFF") reject(where, "a byte order mark of UTF-16", "other bytes");
  if (content.size() % 2 != 0) reject(where, "UTF-16 text", "an odd number of bytes");
  const std::size_t low = mark == "\xFF\xFE" ? 0 : 1;
  std::u16string units;
  for (std::size_t i = 2; i < content.size(); i += 2)
    units += static_cast<char16_t>(static_cast<unsigned char>(content[i + low]) |
                                   static_cast<unsigned char>(content[i + 1 - low]) << 8);
  std::string text;
  try {
    utf8::utf16to8(units.begin(), units.end(), std::back_inserter(text));
  } catch (const utf8::exception&) {
    reject(where, "UTF-16 text", "half of a surrogate pair");
  }
  return text;
}

}  // namespace

std::string decoded(std::string content, const std::string& encoding, const std::string& where) {
  if (encoding == "latin-1") return from_latin_1(content);
  if (encoding == "utf-16") return from_utf_16(content, where);
  require_utf8(content, where);
  return std::string(without_mark(content));
}

}  // namespace attn::classifier

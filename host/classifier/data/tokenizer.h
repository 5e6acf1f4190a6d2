// SPDX-License-Identifier: Apache-2.0
//
// Splits text into words: lower-cased runs of letters with their marks, digits, and inner apostrophes and joiners, in
// normalisation form C. Everything else separates words. Soft hyphens are dropped.
// An HTML tag such as <br /> is one separator, so its name is not a word. Typographic apostrophes become '.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

// Identifies these rules in caches; change it whenever they change.
constexpr const char* kTokenizerName =
    "letters with marks, digits, inner apostrophes and joiners; lower case; NFC; tags separate";

struct Token {
  std::string word;        // lower case, UTF-8
  std::size_t begin, end;  // byte range of the word in the text
};

// Whether the text is nothing but white space.
bool is_blank(std::string_view text);

// Bytes that are not UTF-8 separate words. Texts from outside are checked by require_utf8 first.
std::vector<Token> tokenize(std::string_view text);

// Throws Failure "ORIGIN:LINE: expected UTF-8 text, got byte 0xNN at offset N".
void require_utf8(std::string_view text, const std::string& origin);

}  // namespace attn::classifier

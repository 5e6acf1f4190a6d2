// SPDX-License-Identifier: Apache-2.0
//
// Text to words: lower-cased runs of letters, digits and inner apostrophes; everything else separates. An HTML tag such as
// <br /> separates as a whole, so its name is no word. Typographic apostrophes become '.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

// Names these rules in caches: change it with them.
constexpr const char* kTokenizerName = "letters, digits, inner apostrophes; lower case; tags separate";

struct Token {
  std::string word;        // lower case, UTF-8
  std::size_t begin, end;  // bytes of the text it was made from
};

// Takes any bytes: those that are not UTF-8 separate. Whoever reads text from outside refuses them first.
std::vector<Token> tokenize(std::string_view text);

// Throws Failure "ORIGIN:LINE: expected UTF-8 text, got byte 0xNN at offset N".
void require_utf8(std::string_view text, const std::string& origin);

}  // namespace attn::classifier

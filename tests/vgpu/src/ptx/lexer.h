// SPDX-License-Identifier: Apache-2.0
//
// Splits a PTX text into tokens, with a lookahead of one. Tokens are views into the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vgpu::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    kEnd,
    kWord,         // %r1, $L__BB0_2, ld, name
    kDotWord,      // one dot, at the beginning: .global, .L2::128B, .1d
    kNumber,       // 12, 0x1fU, 0f3F800000, 9.0
    kString,       // including its quotes
    kPunctuation,  // one character, or an operator of two characters
  };
  Kind kind = Kind::kEnd;
  std::string_view text;
  std::uint32_t line = 1;

  bool is(std::string_view what) const { return text == what && kind != Kind::kString; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text);

  const Token& peek() const { return next_; }
  Token take();
  bool accept(std::string_view what);  // takes the next token if it is this one

  // These throw Error if the next token is a different one.
  void expect(std::string_view what);
  Token expect(Token::Kind kind, const char* what);

  // Takes a word and the dotted words that follow it without a blank, such as %tid.x.
  std::string_view expect_dotted_name(const char* what);

  // Skips `{ ... }`.
  void skip_braces();

  // Returns the text between two positions, with each run of blanks and comments replaced by one blank.
  static std::string squeeze(const char* begin, const char* end);

  // Throws Error "PTX line N: expected WHAT, got 'TOKEN'".
  [[noreturn]] void fail_expecting(const std::string& what) const;

 private:
  void skip_blanks();
  Token scan();
  Token token(Token::Kind kind, const char* end);

  const char* at_;
  const char* end_;
  std::uint32_t line_ = 1;
  Token next_;
};

// Throws Error "PTX line N: MESSAGE".
[[noreturn]] void fail(std::uint32_t line, const std::string& message);

}  // namespace vgpu::ptx

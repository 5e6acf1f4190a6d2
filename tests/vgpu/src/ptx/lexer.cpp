// SPDX-License-Identifier: Apache-2.0
#include "ptx/lexer.h"

#include <algorithm>
#include <array>

#include "ptx/module.h"

namespace vgpu::ptx {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$'; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

// Returns the end of the comment that begins at `at`, or `at` itself if no comment begins there.
const char* comment_end(const char* at, const char* end, std::uint32_t line) {
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  if (rest.substr(0, 2) == "//") return std::find(at, end, '\n');
  if (rest.substr(0, 2) != "/*") return at;
  const std::size_t close = rest.find("*/", 2);
  if (close == std::string_view::npos) fail(line, "expected the end of a comment, got the end of the text");
  return at + close + 2;
}

// A word may contain "::", as in shared::cta and L2::128B.
const char* word_end(const char* at, const char* end) {
  while (at != end) {
    if (is_word(*at)) {
      ++at;
    } else if (end - at > 2 && at[0] == ':' && at[1] == ':' && is_word(at[2])) {
      at += 2;
    } else {
      break;
    }
  }
  return at;
}

// A number includes the sign of an exponent, but no sign after the digit E of a hexadecimal number.
const char* number_end(const char* at, const char* end) {
  constexpr std::string_view kPrefixes = "xXfFdD";
  const bool is_hexadecimal = end - at > 1 && at[0] == '0' && kPrefixes.find(at[1]) != std::string_view::npos;
  const char* begin = at;
  while (at != end) {
    const bool is_sign = (*at == '+' || *at == '-') && at != begin && (at[-1] == 'e' || at[-1] == 'E');
    if (!is_word(*at) && *at != '.' && (is_hexadecimal || !is_sign)) break;
    ++at;
  }
  return at;
}

const char* punctuation_end(const char* at, const char* end) {
  constexpr std::array<std::string_view, 8> kPairs = {"<<", ">>", "<=", ">=", "==", "!=", "&&", "||"};
  if (end - at < 2) return at + 1;
  return std::find(kPairs.begin(), kPairs.end(), std::string_view(at, 2)) == kPairs.end() ? at + 1 : at + 2;
}

}  // namespace

void fail(std::uint32_t line, const std::string& message) {
  throw Error("PTX line " + std::to_string(line) + ": " + message);
}

Lexer::Lexer(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) { next_ = scan(); }

Token Lexer::take() {
  const Token taken = next_;
  next_ = scan();
  return taken;
}

bool Lexer::accept(std::string_view what) {
  if (!next_.is(what)) return false;
  next_ = scan();
  return true;
}

void Lexer::expect(std::string_view what) {
  if (!accept(what)) fail_expecting("'" + std::string(what) + "'");
}

Token Lexer::expect(Token::Kind kind, const char* what) {
  if (next_.kind != kind) fail_expecting(what);
  return take();
}

std::string_view Lexer::expect_dotted_name(const char* what) {
  std::string_view name = expect(Token::Kind::kWord, what).text;
  while (next_.kind == Token::Kind::kDotWord && next_.text.data() == name.data() + name.size()) {
    name = std::string_view(name.data(), name.size() + take().text.size());
  }
  return name;
}

void Lexer::skip_braces() {
  expect("{");
  for (unsigned depth = 1; depth != 0; take()) {
    if (next_.kind == Token::Kind::kEnd) fail_expecting("'}'");
    if (next_.is("{")) ++depth;
    if (next_.is("}")) --depth;
  }
}

std::string Lexer::squeeze(const char* begin, const char* end) {
  std::string squeezed;
  bool blank = false;
  while (begin != end) {
    const char* after = comment_end(begin, end, 0);
    if (after != begin || is_blank(*begin)) {
      blank = true;
      begin = std::max(after, begin + 1);
      continue;
    }
    if (blank && !squeezed.empty()) squeezed += ' ';
    blank = false;
    squeezed += *begin++;
  }
  return squeezed;
}

void Lexer::fail_expecting(const std::string& what) const {
  const bool at_end = next_.kind == Token::Kind::kEnd;
  fail(next_.line,
       "expected " + what + ", got " + (at_end ? "the end of the text" : "'" + std::string(next_.text) + "'"));
}

void Lexer::skip_blanks() {
  while (at_ != end_) {
    const char* after = is_blank(*at_) ? at_ + 1 : comment_end(at_, end_, line_);
    if (after == at_) return;
    line_ += static_cast<std::uint32_t>(std::count(at_, after, '\n'));
    at_ = after;
  }
}

Token Lexer::token(Token::Kind kind, const char* end) {
  const Token found{kind, std::string_view(at_, static_cast<std::size_t>(end - at_)), line_};
  at_ = end;
  return found;
}

Token Lexer::scan() {
  skip_blanks();
  if (at_ == end_) return token(Token::Kind::kEnd, at_);
  const char c = *at_;
  if (is_digit(c)) return token(Token::Kind::kNumber, number_end(at_, end_));
  const bool begins_name = c == '%' && end_ - at_ > 1 && is_word(at_[1]);  // otherwise '%' is the remainder operator
  if (is_word(c) || begins_name) return token(Token::Kind::kWord, word_end(at_ + 1, end_));
  if (c == '.') return token(Token::Kind::kDotWord, word_end(at_ + 1, end_));
  if (c != '"') return token(Token::Kind::kPunctuation, punctuation_end(at_, end_));

  const char* close = std::find(at_ + 1, end_, '"');
  if (close == end_) fail(line_, "expected the end of a string, got the end of the text");
  return token(Token::Kind::kString, close + 1);
}

}  // namespace vgpu::ptx

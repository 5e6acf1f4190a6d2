// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/tokenizer.h"

#include <glib.h>
#include <locale.h>
#include <utf8.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <memory>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using Codepoint = std::uint32_t;
constexpr Codepoint kSeparator = 0;
constexpr Codepoint kApostrophe = '\'';
constexpr Codepoint kSoftHyphen = 0xAD;

// Letters and their lower case come from the C library's Unicode tables. The C.UTF-8 locale is always available, needs
// no ICU (30 MB), and leaves the locale of the process alone.
locale_t unicode_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (locale == nullptr) throw Failure(ATTN_LIBRARY_ERROR, "C.UTF-8: expected this locale in the C library, got none");
  return locale;
}

// Soft hyphen, zero-width non-joiner and joiner, word joiner. Inside a word they part no letters, as accents and
// vowel signs do not (Unicode Standard Annex 29, rule WB4).
bool is_invisible(Codepoint c) { return c == kSoftHyphen || (c >= 0x200C && c <= 0x200D) || c == 0x2060; }

// The lower case of a letter or digit, a mark or joiner as it is, an apostrophe for any of its forms, otherwise
// kSeparator.
Codepoint fold_any(Codepoint c, locale_t locale) {
  constexpr Codepoint kGrave = '`', kAcute = 0xB4, kRightQuote = 0x2019;
  if (c == kApostrophe || c == kGrave || c == kAcute || c == kRightQuote) return kApostrophe;
  if (iswalnum_l(c, locale) != 0) return towlower_l(c, locale);
  return g_unichar_ismark(c) || is_invisible(c) ? c : kSeparator;
}

class Folder {
 public:
  Folder() : locale_(unicode_locale()) {
    for (Codepoint c = 0; c < ascii_.size(); ++c) ascii_[c] = fold_any(c, locale_);
  }
  Codepoint operator()(Codepoint c) const { return c < ascii_.size() ? ascii_[c] : fold_any(c, locale_); }

 private:
  locale_t locale_;
  std::array<Codepoint, 128> ascii_{};
};

// The position after the tag that begins at text[begin] == '<', or `begin` if there is none: "<3" and "a < b > c" are
// text. A name must be followed by attributes or nothing, so that "<spoilers: he dies>" is kept.
std::size_t skip_tag(std::string_view text, std::size_t begin) {
  const std::size_t end = text.find_first_of("<>", begin + 1);
  if (end == std::string_view::npos || text[end] != '>') return begin;
  std::string_view inside = text.substr(begin + 1, end - begin - 1);
  if (!inside.empty() && inside.front() == '/') inside.remove_prefix(1);
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (inside.empty() || !is_letter(inside.front())) return begin;
  const auto name_end =
      std::find_if_not(inside.begin(), inside.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
  const std::string_view rest = inside.substr(static_cast<std::size_t>(name_end - inside.begin()));
  const bool bare = rest.find_first_not_of(" \t\r\n/") == std::string_view::npos;
  return bare || rest.find('=') != std::string_view::npos ? end + 1 : begin;
}

// Returns the code point at `position` and advances past it; kSeparator for a byte that is not UTF-8.
Codepoint next_codepoint(std::string_view text, std::size_t& position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  if (lead < 0x80) return ++position, lead;
  auto iterator = text.begin() + static_cast<std::ptrdiff_t>(position);
  try {
    const Codepoint c = utf8::next(iterator, text.end());
    position = static_cast<std::size_t>(iterator - text.begin());
    return c;
  } catch (const utf8::exception&) {
    return ++position, kSeparator;
  }
}

void append(std::string& word, Codepoint c) {
  if (c < 0x80)
    word.push_back(static_cast<char>(c));
  else
    utf8::append(c, std::back_inserter(word));
}

// Normalisation form C, in which equal words have equal bytes.
std::string composed(const std::string& word) {
  if (std::all_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return word;
  const std::unique_ptr<char, void (*)(void*)> result(
      g_utf8_normalize(word.data(), static_cast<gssize>(word.size()), G_NORMALIZE_DEFAULT_COMPOSE), g_free);
  return result == nullptr ? word : result.get();
}

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  static const Folder fold;
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 5);
  std::string word;
  std::size_t begin = 0, end = 0;  // byte range of the current word
  std::string pending;             // an apostrophe or joiners after the word; part of it only if a letter comes next
  const auto finish = [&] {
    if (!word.empty()) tokens.push_back({composed(word), begin, end});
    word.clear();
    pending.clear();
  };
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    if (text[start] == '<' && (position = skip_tag(text, start)) != start) {
      finish();
      continue;
    }
    const Codepoint c = fold(next_codepoint(text, position));
    const bool is_mark = c >= 0x80 && g_unichar_ismark(c), is_joiner = c >= 0x80 && is_invisible(c);
    const bool needs_word = c == kApostrophe || is_mark || is_joiner;
    if (c == kSeparator || (needs_word && word.empty()) || (c == kApostrophe && !pending.empty())) {
      finish();
    } else if (c == kApostrophe || is_joiner) {
      if (c != kSoftHyphen) append(pending, c);  // a soft hyphen shows only where a line ends
    } else {
      if (word.empty()) begin = start;
      word += pending;
      pending.clear();
      append(word, c);
      end = position;
    }
  }
  finish();
  return tokens;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

void require_utf8(std::string_view text, const std::string& origin) {
  const auto bad = utf8::find_invalid(text.begin(), text.end());
  if (bad == text.end()) return;
  std::array<char, 8> byte{};
  std::snprintf(byte.data(), byte.size(), "0x%02X", static_cast<unsigned char>(*bad));
  throw Failure(ATTN_INVALID_ARGUMENT, origin + ":" + std::to_string(1 + std::count(text.begin(), bad, '\n')) +
                                           ": expected UTF-8 text, got byte " + byte.data() + " at offset " +
                                           std::to_string(bad - text.begin()));
}

}  // namespace attn::classifier

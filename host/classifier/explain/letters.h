// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

#include <string>
#include <string_view>

namespace attn::classifier {

// Calls body(code point, its bytes) for each letter of valid UTF-8.
template <class Body>
void for_each_letter(const std::string& text, Body&& body) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const char* next = g_utf8_next_char(at);
    body(g_utf8_get_char(at), std::string_view(at, static_cast<std::size_t>(next - at)));
    at = next;
  }
}

// Control characters, and those that change the direction of the text around them: a terminal or a browser would obey them,
// and show something else than the text says.
inline bool is_control(gunichar letter) {
  const bool directs = letter == 0x061c || letter == 0x200e || letter == 0x200f ||
                       (letter >= 0x202a && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069);
  return directs || g_unichar_iscntrl(letter);
}

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

#include <string>
#include <string_view>

namespace attn::classifier {

// Calls body(code point, its bytes) for each letter of valid UTF-8.
template <class Body>
void for_each_letter(const std::string& text, Body&& body) {
  for (const char* at = text.c_str(); *at != '\0';) {
    const char* next = g_utf8_next_char(at);
    body(g_utf8_get_char(at), std::string_view(at, static_cast<std::size_t>(next - at)));
    at = next;
  }
}

}  // namespace attn::classifier

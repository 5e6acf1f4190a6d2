// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "classifier/checkpoint/layout.h"

namespace attn::classifier {

// Reads the JSON header of a safetensors file in one pass, without building a tree of it, so that time and memory grow
// linearly with its length whatever it holds. Throws Failure naming `path` at the first value that does not belong there.
// The ranges are in the order of the text; each has as many bytes as its dtype and shape need.
Layout read_header(const std::string& path, const std::string& text);

}  // namespace attn::classifier

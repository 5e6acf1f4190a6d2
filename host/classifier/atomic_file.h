// SPDX-License-Identifier: Apache-2.0
//
// The one way in which this program writes files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attn {

// Makes `path` hold the pieces, one behind the other: written to a temporary name in the same folder, flushed to the
// disk, renamed. A reader, a crash or a full disk leaves the old file or the new one, never a part. Throws Failure
// naming the path. Devices and folders are refused: renaming would replace them.
void write_atomically(const std::string& path, const std::vector<std::string_view>& pieces);

}  // namespace attn

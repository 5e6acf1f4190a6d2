// SPDX-License-Identifier: Apache-2.0
//
// Atomic writing of files; this program writes all its files this way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

// Replaces the content of `path` by the concatenated pieces. They are written under a temporary name in the same folder,
// flushed to disk, and renamed, so that readers, crashes and full disks see the old file or the new one, never a part.
// Throws Failure, which names the path. Devices and folders are rejected, because renaming would replace them.
void write_atomically(const std::string& path, const std::vector<std::string_view>& pieces);

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
//
// Atomic writing of files; this program writes all its files this way.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

// Replaces the content of `path` by the concatenated pieces. They are written under a temporary name in the same folder,
// flushed to disk, and renamed, so that readers, crashes and full disks see the old file or the new one, never a part.
// A symbolic link is followed. A file that is replaced keeps its mode; a new one gets `mode`, less the umask. Temporary
// files of the same path that a crashed process left are deleted. Throws Failure, which names the path: devices, pipes,
// sockets and folders are rejected, because renaming would replace them.
void write_atomically(const std::string& path, const std::vector<std::string_view>& pieces, mode_t mode = 0666);

// Checks that write_atomically could write a file of so many bytes to `path` now, and leaves everything as it is. To be
// called before long work whose results go there. Throws as write_atomically does.
void require_writable(const std::string& path, std::uint64_t bytes);

}  // namespace attn::classifier

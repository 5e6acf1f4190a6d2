// SPDX-License-Identifier: Apache-2.0
#include "classifier/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "classifier/failure.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const char* step, int error) {
  throw Failure(ATTN_INVALID_ARGUMENT, path + ": cannot be written, " + step + ": " + std::strerror(error));
}

// A new file that the destructor deletes unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& path, const std::string& wanted) : path_(path) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(wanted, "making a temporary file next to it", errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  int descriptor() const { return descriptor_; }

  void write(std::string_view bytes, const std::string& wanted) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) fail(wanted, "writing", errno);
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void rename_to(const std::string& wanted) {
    // Without the flush, a crash soon afterwards could leave an empty file under the new name.
    if (::fsync(descriptor_) != 0) fail(wanted, "flushing", errno);
    if (::rename(path_.c_str(), wanted.c_str()) != 0) fail(wanted, "renaming", errno);
    renamed_ = true;
  }

 private:
  std::string path_;
  int descriptor_;
  bool renamed_ = false;
};

void flush_folder(const fs::path& folder, const std::string& wanted) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(wanted, "opening its folder", errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL comes from file systems that cannot flush folders, as some network file systems.
  if (error != 0 && error != EINVAL) fail(wanted, "flushing its folder", error);
}

}  // namespace

void write_atomically(const std::string& path, const std::vector<std::string_view>& pieces) {
  // A symbolic link is kept, and the file that it points to is replaced.
  std::error_code ignored;
  const fs::path target = fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : fs::path(path);
  if (target.empty()) fail(path, "looking it up", ENOENT);
  struct stat old = {};
  const bool replaces = ::stat(target.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode)) {
    throw Failure(ATTN_INVALID_ARGUMENT, path + ": expected a file or a new name, got a " +
                                             (S_ISDIR(old.st_mode) ? "folder" : "device, pipe or socket"));
  }

  // The suffix is unique, so that two runs writing the same file cannot mix their bytes.
  static std::atomic<unsigned> counter{0};
  const std::string suffix = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  TemporaryFile file(target.string() + suffix, path);
  if (replaces && ::fchmod(file.descriptor(), old.st_mode & 07777) != 0) fail(path, "keeping its mode", errno);
  for (const std::string_view piece : pieces) file.write(piece, path);
  file.rename_to(target.string());
  flush_folder(target.has_parent_path() ? target.parent_path() : fs::path("."), path);
}

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
#include "classifier/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "classifier/failure.h"
#include "classifier/write_all.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".tmp-";
constexpr std::size_t kRandomLetters = 12;

[[noreturn]] void fail(const std::string& path, const char* step, int error) {
  throw Failure(ATTN_INVALID_ARGUMENT, path + ": cannot be written, " + step + ": " + std::strerror(error));
}

// The name is random: in containers, processes have the same ids again and again.
std::string temporary_name(const std::string& target) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char random[kRandomLetters];
  if (::getrandom(random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) fail(target, "naming it", errno);
  std::string name = target + kSuffix;
  for (const unsigned char value : random) name += kLetters[value % kLetters.size()];
  return name;
}

// A new file that the destructor deletes unless it was renamed. It is locked as long as it exists, which tells it from
// the files that crashed processes left.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& target, const std::string& wanted, mode_t mode) {
    for (;;) {
      path_ = temporary_name(target);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (descriptor_ < 0 && errno == EEXIST) continue;
      if (descriptor_ < 0) fail(wanted, "making a temporary file next to it", errno);
      static_cast<void>(::flock(descriptor_, LOCK_EX));  // a file system without locks has no stale files deleted
      struct stat status = {};
      if (::fstat(descriptor_, &status) == 0 && status.st_nlink > 0) return;
      ::close(descriptor_);  // deleted as stale before it was locked
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(path_.c_str());
    ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }

  void write(std::string_view bytes, const std::string& wanted) {
    if (const int error = write_all(descriptor_, bytes); error != 0) fail(wanted, "writing", error);
  }

  void rename_to(const std::string& target, const std::string& wanted) {
    // Without the flush, a crash soon afterwards could leave an empty file under the new name.
    if (::fsync(descriptor_) != 0) fail(wanted, "flushing", errno);
    if (::rename(path_.c_str(), target.c_str()) != 0) fail(wanted, "renaming", errno);
    renamed_ = true;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : fs::path("."); }

void flush_folder(const fs::path& folder, const std::string& wanted) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(wanted, "opening its folder", errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL comes from file systems that cannot flush folders, as some network file systems.
  if (error != 0 && error != EINVAL) fail(wanted, "flushing its folder", error);
}

bool is_temporary_name(const std::string& name, const std::string& of) {
  const std::string start = of + kSuffix;
  return name.size() == start.size() + kRandomLetters && name.compare(0, start.size(), start) == 0;
}

// A folder that cannot be listed keeps its stale files.
void delete_stale(const fs::path& target) {
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(target), error), end; !error && entry != end; entry.increment(error)) {
    if (!is_temporary_name(entry->path().filename().string(), target.filename().string())) continue;
    const int descriptor = ::open(entry->path().c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

// Follows symbolic links, also those that point to a file that does not exist yet.
fs::path without_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // as Linux
  fs::path target = path;
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code error;
    const fs::path next = fs::read_symlink(target, error);
    if (error) return target;
    target = target.parent_path() / next;
  }
  fail(path, "following links", ELOOP);
}

struct Place {
  fs::path target;
  bool exists;
  mode_t mode;
};

Place place_of(const std::string& path, mode_t mode) {
  if (path.empty()) fail(path, "looking it up", ENOENT);
  const fs::path target = without_links(path);
  struct stat status = {};
  if (::stat(target.c_str(), &status) != 0) {
    if (errno != ENOENT) fail(path, "looking it up", errno);
    return {target, false, mode};
  }
  if (!S_ISREG(status.st_mode))
    refuse(path, std::string("expected a file or a new name, got a ") +
                     (S_ISDIR(status.st_mode) ? "folder" : "device, pipe or socket"));
  return {target, true, status.st_mode & 07777};
}

}  // namespace

void write_atomically(const std::string& path, const std::vector<std::string_view>& pieces, mode_t mode) {
  const Place place = place_of(path, mode);
  delete_stale(place.target);
  TemporaryFile file(place.target.string(), path, place.mode);
  if (place.exists && ::fchmod(file.descriptor(), place.mode) != 0) fail(path, "keeping its mode", errno);
  for (const std::string_view piece : pieces) file.write(piece, path);
  file.rename_to(place.target.string(), path);
  flush_folder(folder_of(place.target), path);
}

void require_writable(const std::string& path, std::uint64_t bytes) {
  const Place place = place_of(path, 0600);
  const TemporaryFile file(place.target.string(), path, 0600);
  const int error = ::posix_fallocate(file.descriptor(), 0, static_cast<off_t>(std::max<std::uint64_t>(bytes, 1)));
  if (error != 0) fail(path, "reserving its space", error);
}

}  // namespace attn::classifier

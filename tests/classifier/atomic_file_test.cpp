// SPDX-License-Identifier: Apache-2.0
#include "classifier/atomic_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

// The message of the Failure, or "" if the write succeeded.
std::string failure_of(const std::string& path, const std::vector<std::string_view>& pieces) {
  try {
    write_atomically(path, pieces);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

// While this exists, files cannot grow beyond `bytes`, so that a write fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {bytes, old_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_ = {};
  sighandler_t old_handler_;
};

TEST(AtomicFile, WritesThePiecesInOrderAndReplaces) {
  TemporaryFolder folder;
  const std::string path = folder / "file";
  write_atomically(path, {"a long first version of the file"});
  write_atomically(path, {"one ", "", "two"});
  EXPECT_EQ(read_file(path), "one two");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, FullDiskLeavesTheOldFileAndNothingElse) {
  TemporaryFolder folder;
  const std::string path = folder / "file";
  write_file(path, "old");
  const std::string large(1 << 20, 'x');
  std::string message;
  {
    FileSizeLimit limit(1000);
    message = failure_of(path, {"some", large});
  }
  EXPECT_NE(message.find(path), std::string::npos) << message;
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, MissingFolderAndEmptyNameAreNamed) {
  TemporaryFolder folder;
  const std::string path = folder / "no such folder/file";
  EXPECT_NE(failure_of(path, {"x"}).find(path), std::string::npos);
  EXPECT_NE(failure_of("", {"x"}), "");
}

TEST(AtomicFile, RefusesToReplaceWhatIsNoFile) {
  TemporaryFolder folder;
  const std::string subfolder = folder / "sub", pipe = folder / "pipe";
  fs::create_directory(subfolder);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(failure_of(subfolder, {"x"}).find("got a folder"), std::string::npos);
  EXPECT_NE(failure_of(pipe, {"x"}).find("got a device, pipe"), std::string::npos);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(folder.file_count(), 2u);
}

TEST(AtomicFile, KeepsLinkAndMode) {
  TemporaryFolder folder;
  const std::string target = folder / "target", link = folder / "link";
  write_file(target, "old");
  fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("target", link);
  write_atomically(link, {"new"});
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(read_file(target), "new");
  EXPECT_EQ(fs::status(target).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AtomicFile, WritersAtTheSameTimeDoNotMix) {
  TemporaryFolder folder;
  const std::string path = folder / "file";
  const auto write_many = [&](char letter) {
    const std::string text(100'000, letter);
    for (int i = 0; i < 20; ++i) write_atomically(path, {text});
  };
  std::thread first(write_many, 'a'), second(write_many, 'b');
  first.join();
  second.join();
  const std::string text = read_file(path);
  EXPECT_EQ(text, std::string(100'000, text.at(0)));
  EXPECT_EQ(folder.file_count(), 1u);
}

}  // namespace
}  // namespace attn::classifier

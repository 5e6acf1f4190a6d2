// SPDX-License-Identifier: Apache-2.0
#include "classifier/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

// The message of require_writable(), or "" if it found nothing to object to.
std::string objection_to(const std::string& path, std::uint64_t bytes = 1) {
  try {
    require_writable(path, bytes);
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

TEST(AtomicFile, FollowsLinksToFilesThatAreToBeMade) {
  TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("second", folder / "first");
  fs::create_symlink("sub/target", folder / "second");
  write_atomically(folder / "first", {"new"});
  EXPECT_EQ(read_file(folder / "sub/target"), "new");
  EXPECT_TRUE(fs::is_symlink(folder / "first"));
  fs::create_symlink("circle", folder / "circle");
  EXPECT_NE(failure_of(folder / "circle", {"x"}).find("following links"), std::string::npos);
}

TEST(AtomicFile, ANewFileHasTheModeLessTheUmask) {
  TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_atomically(folder / "shared", {"x"});
  write_atomically(folder / "private", {"x"}, 0600);
  ::umask(before);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "shared").permissions()), 0640);
  EXPECT_EQ(static_cast<int>(fs::status(folder / "private").permissions()), 0600);
}

TEST(AtomicFile, DeletesTheTemporaryFilesOfCrashedWritersAlone) {
  TemporaryFolder folder;
  const std::string path = folder / "file";
  const std::string stale = path + ".tmp-abcdefghijkl", live = path + ".tmp-mnopqrstuvwx", of_another = path + ".tmp-";
  for (const std::string& name : {stale, live, of_another, folder / "file2.tmp-abcdefghijkl"}) write_file(name, "x");
  const int writer = ::open(live.c_str(), O_WRONLY);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  write_atomically(path, {"new"});
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(live));
  EXPECT_EQ(folder.file_count(), 4u);
  ::close(writer);
}

TEST(AtomicFile, RequireWritableObjectsBeforeTheWorkAndChangesNothing) {
  TemporaryFolder folder;
  const std::string path = folder / "file";
  EXPECT_EQ(objection_to(path), "");
  write_file(path, "old");
  EXPECT_EQ(objection_to(path, 100'000), "");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_NE(objection_to(folder / "no such folder/file").find("making a temporary file"), std::string::npos);
  EXPECT_NE(objection_to("/dev/null").find("got a device"), std::string::npos);
  fs::create_directory(folder / "sub");
  EXPECT_NE(objection_to(folder / "sub").find("got a folder"), std::string::npos);
  const FileSizeLimit limit(1000);
  EXPECT_NE(objection_to(path, 100'000).find("reserving its space"), std::string::npos);
  EXPECT_EQ(folder.file_count(), 2u);
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

// SPDX-License-Identifier: Apache-2.0
//
// A host allocation that fails ends a command of attn_train with a message and an exit status, and no file is damaged. Each
// case lets one allocation fail in a child process. Only a sample of them does, evenly spread; with
// ATTN_TEST_ALLOCATIONS=all each one does, which takes hours.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "classifier/commands/commands.h"
#include "classifier/temporary_folder.h"
#include "classifier/train/model_file.h"
#include "support/allocations.h"

namespace attn::classifier {
namespace {

using Words = std::vector<std::string>;

constexpr std::int64_t kSample = 50;

// Memory that child processes write to.
class SharedCount {
 public:
  SharedCount()
      : value_(static_cast<std::int64_t*>(
            ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedCount() { ::munmap(value_, sizeof *value_); }
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  std::int64_t& operator*() const { return *value_; }

 private:
  std::int64_t* value_;
};

class AllocationFailure : public testing::Test {
 protected:
  AllocationFailure() {
    ::unsetenv("ATTN_IMDB");  // the default of --data
    EXPECT_EQ(status_of(train()), 0) << notes();
  }

  Words train() const {
    Words words = {"train", "--output", folder_ / "run", "--cache", folder_ / "cache"};
    std::istringstream rest(
        "--overwrite --device cpu --threads 1 --epochs 1 --generated-train 8 --generated-test 4 --vocabulary 40 "
        "--length 6 "
        "--embedding 3 --hidden 2");
    words.insert(words.end(), std::istream_iterator<std::string>(rest), {});
    return words;
  }

  std::string model() const { return folder_ / "run/model.safetensors"; }
  std::string notes() const { return read_file(folder_ / "notes"); }

  // Runs attn_train in a child process in which the n-th allocation fails, and returns its wait status. Sets `*count_` to the
  // number of allocations up to the end.
  int status_of(Words words, std::int64_t n = std::numeric_limits<std::int64_t>::max()) const {
    std::vector<char*> arguments = {const_cast<char*>("attn_train")};
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::dup2(::open((folder_ / "notes").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      int status = -1;
      const auto run = [&] { status = run_program(static_cast<int>(words.size()) + 1, arguments.data()); };
      *count_ = test::fail_allocation(n, run);
      ::_exit(status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }

  // `after` checks the files after each run.
  template <class Check>
  void expect_message_for_each_failure(const Words& words, const Check& after) const {
    ASSERT_EQ(status_of(words), 0) << notes();
    const std::int64_t all = *count_;
    ASSERT_GT(all, kSample);
    const char* const wanted = std::getenv("ATTN_TEST_ALLOCATIONS");
    const std::int64_t step = wanted != nullptr && std::string(wanted) == "all" ? 1 : all / kSample;
    std::int64_t reported = 0;
    for (std::int64_t n = 1; n <= all; n += step) {
      const int status = status_of(words, n);
      ASSERT_TRUE(WIFEXITED(status)) << "allocation " << n << " of " << all << ": signal " << WTERMSIG(status) << "\n"
                                     << notes();
      ASSERT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1) << n << ": " << WEXITSTATUS(status);
      if (WEXITSTATUS(status) == 1) {
        ++reported;
        ASSERT_NE(notes(), "") << n;
      }
      after();
    }
    EXPECT_GT(reported, 0);
  }

  TemporaryFolder folder_;
  SharedCount count_;
};

TEST_F(AllocationFailure, Train) {
  // --overwrite removes the last run's model before it saves its own.
  expect_message_for_each_failure(train(), [&] {
    if (std::filesystem::exists(model())) load_model(model());
  });
}

TEST_F(AllocationFailure, Resume) {
  expect_message_for_each_failure({"train", "--resume", model(), "--device", "cpu", "--threads", "1", "--epochs", "2"},
                                  [&] { load_model(model()); });
}

TEST_F(AllocationFailure, Eval) {
  expect_message_for_each_failure({"eval", "--model", model(), "--device", "cpu", "--threads", "1"}, [] {});
}

TEST_F(AllocationFailure, Predict) {
  expect_message_for_each_failure({"predict", "--model", model(), "--device", "cpu", "--threads", "1", "a good film"},
                                  [] {});
}

TEST_F(AllocationFailure, Explain) {
  expect_message_for_each_failure(
      {"explain", "--model", model(), "--device", "cpu", "--threads", "1", "--no-files", "a good film"}, [] {});
}

}  // namespace
}  // namespace attn::classifier

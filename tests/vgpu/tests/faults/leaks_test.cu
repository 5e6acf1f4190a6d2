// SPDX-License-Identifier: Apache-2.0
//
// Tests the report of leaks at the end of a program, which is this program, started again with VGPU_LEAKS=1.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "findings.h"

namespace leaks_test {

using faults::Faults;

class Leaks : public Faults {
 protected:
  static bool is_child() { return std::getenv("VGPU_LEAKS") != nullptr; }

  struct Ended {
    int status;
    std::string said;
  };
  // Runs one test of this program in a child process that reports leaks.
  static Ended run_child(const std::string& test) {
    std::array<char, PATH_MAX> program{};
    EXPECT_GT(readlink("/proc/self/exe", program.data(), program.size() - 1), 0);
    const std::string command = "VGPU_LEAKS=1 '" + std::string(program.data()) + "' --gtest_filter=" + test + " 2>&1";
    std::FILE* child = popen(command.c_str(), "r");
    Ended ended{-1, ""};
    if (child == nullptr) return ended;
    for (int letter = std::fgetc(child); letter != EOF; letter = std::fgetc(child))
      ended.said += static_cast<char>(letter);
    const int status = pclose(child);
    if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
    return ended;
  }
};

class LeaksChild : public Leaks {
 protected:
  void SetUp() override {
    Leaks::SetUp();
    if (!IsSkipped() && !is_child()) GTEST_SKIP() << "runs as a child of Leaks";
  }
  void TearDown() override {}  // resetting the device would free everything
};

TEST_F(LeaksChild, forgets) { allocated<int>(100); }

TEST_F(LeaksChild, frees) { ASSERT_EQ(cudaFree(allocated<int>(100)), cudaSuccess); }

TEST_F(Leaks, are_listed) {
  const Ended ended = run_child("LeaksChild.forgets");
  EXPECT_EQ(ended.status, 3) << ended.said;
  EXPECT_NE(ended.said.find("leak: allocation "), std::string::npos) << ended.said;
  EXPECT_NE(ended.said.find("400 bytes"), std::string::npos) << ended.said;
}

TEST_F(Leaks, none) {
  const Ended ended = run_child("LeaksChild.frees");
  EXPECT_EQ(ended.status, 0) << ended.said;
  EXPECT_EQ(ended.said.find("leak: "), std::string::npos) << ended.said;
}

}  // namespace leaks_test

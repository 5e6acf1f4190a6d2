// SPDX-License-Identifier: Apache-2.0
//
// Tests work of a library that declares invalid ranges.
#include "findings.h"
#include "programs/issued.h"

namespace issued_work_test {

using faults::Faults;

constexpr int kCount = 100;
constexpr std::size_t kBytes = kCount * sizeof(int);

class IssuedWork : public Faults {
 protected:
  void add(int* values, const std::vector<vgpu_range_t>& ranges) {
    EXPECT_EQ(programs::issue_addition(values, kCount, 1, nullptr, released_, ranges), cudaSuccess);
  }
  // Declares the ranges in work that accesses nothing.
  void touch(const std::vector<vgpu_range_t>& ranges) {
    EXPECT_EQ(programs::issue_addition(nullptr, 0, 1, nullptr, released_, ranges), cudaSuccess);
  }

  int released_ = 0;
};

TEST_F(IssuedWork, beyond_an_allocation) {
  const int* values = zeros<int>(kCount);
  expect_clean([=] { touch({{values, kBytes, 0}}); });
  expect_finding(cudaErrorIllegalAddress,
                 {"illegal address: read of 404 bytes at 0x", "whose last 4 bytes lie past the end of allocation ",
                  "in kernel addition"},
                 [=] {
                   touch({{values, kBytes + 4, 0}});
                 });
  EXPECT_EQ(released_, 2);
}

TEST_F(IssuedWork, before_an_allocation) {
  const int* values = zeros<int>(kCount);
  expect_finding(cudaErrorIllegalAddress, {"write of 4 bytes at 0x", "4 bytes before allocation "}, [=] {
    touch({{values - 1, 4, 1}});
  });
}

TEST_F(IssuedWork, memory_of_the_host) {
  static int values[kCount];
  int* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, kBytes), cudaSuccess);
  expect_clean([=] { touch({{pinned, kBytes, 0}}); });
  expect_finding(cudaErrorIllegalAddress, {"illegal address: read of 4 bytes at 0x", "in no allocation"}, [=] {
    touch({{values, 4, 0}});
  });
}

TEST_F(IssuedWork, after_the_free) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  int* values = nullptr;
  ASSERT_EQ(cudaMallocAsync(&values, kBytes, stream), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(values, 0, kBytes, stream), cudaSuccess);
  ASSERT_EQ(cudaFreeAsync(values, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  expect_finding(cudaErrorIllegalAddress, {"read of 400 bytes at 0x", "400 bytes, freed)"}, [=] {
    touch({{values, kBytes, 0}});
  });
}

TEST_F(IssuedWork, reads_what_nothing_has_written) {
  int* values = allocated<int>(kCount);
  ASSERT_EQ(cudaMemset(values, 0, 40), cudaSuccess);
  expect_clean([=] { touch({{values, 40, 0}, {values + 10, 40, 1}}); });
  expect_clean([=] { add(values, {{values, 80, 2}, {values + 20, kBytes - 80, 1}}); });
  expect_clean([=] { add(values, {{values, kBytes, 2}}); });
  const int* others = allocated<int>(kCount);
  ASSERT_EQ(cudaMemset(const_cast<int*>(others), 0, 40), cudaSuccess);
  expect_finding(cudaErrorLaunchFailure,
                 {"uninitialised memory: read of 44 bytes at 0x", "nothing has written byte 40", "in kernel addition"},
                 [=] {
                   touch({{others, 44, 0}});
                 });
}

TEST_F(IssuedWork, overlaps_with_what_is_written) {
  const int* values = zeros<int>(kCount);
  expect_clean([=] { touch({{values, 40, 0}, {values + 5, 40, 0}, {values + 15, 40, 1}, {values + 25, 4, 2}}); });
  expect_finding(cudaErrorLaunchFailure,
                 {"race: read of 40 bytes at 0x", " and write of 40 bytes at 0x", "in kernel addition"}, [=] {
                   touch({{values, 40, 0}, {values + 9, 40, 1}});
                 });
}

TEST_F(IssuedWork, overlaps_behind_a_smaller_range) {
  const int* values = zeros<int>(kCount);
  expect_finding(cudaErrorLaunchFailure, {"race: write of 400 bytes at 0x", " and read of 4 bytes at 0x"}, [=] {
    touch({{values + 90, 4, 0}, {values, kBytes, 1}});
  });
}

TEST_F(IssuedWork, overlaps_with_one_that_goes_on_behind_others) {
  const int* values = zeros<int>(kCount);
  expect_finding(cudaErrorLaunchFailure, {"race: read of 400 bytes at 0x", " and write of 4 bytes at 0x"}, [=] {
    touch({{values, kBytes, 0}, {values + 10, 4, 0}, {values + 50, 4, 1}});
  });
}

}  // namespace issued_work_test

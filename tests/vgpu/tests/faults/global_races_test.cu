// SPDX-License-Identifier: Apache-2.0
//
// Tests races in global memory, and the synchronisation that prevents them.
#include "findings.h"

namespace global_races_test {

using faults::Faults;

class GlobalRaces : public Faults {};

constexpr int kBlocks = 8;
constexpr int kThreads = 64;

__global__ void write_flag(int* flag, bool same) { *flag = same ? 1 : blockIdx.x; }

TEST_F(GlobalRaces, blocks_write_one_word) {
  int* flag = allocated<int>(1);
  expect_clean([=] { write_flag<<<kBlocks, 1>>>(flag, true); });
  expect_finding(cudaErrorLaunchFailure, {"race: write of 4 bytes at 0x", "and the write at PTX line ", "of block ("},
                 [=] { write_flag<<<kBlocks, 1>>>(flag, false); });
}

// The first block writes back the value that all blocks read, or a different value, or a value without reading first.
enum class Rewrite { kSame, kOther, kBlind };

__global__ void rewrite(int* word, Rewrite how, int* seen) {
  if (blockIdx.x == 0) *word = how == Rewrite::kBlind ? 0 : *word + static_cast<int>(how);
  seen[blockIdx.x] = *word;
}

TEST_F(GlobalRaces, a_block_puts_back_what_it_has_read) {
  int* word = zeros<int>(1);
  int* seen = allocated<int>(kBlocks);
  expect_clean([=] { rewrite<<<kBlocks, 1>>>(word, Rewrite::kSame, seen); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { rewrite<<<kBlocks, 1>>>(word, Rewrite::kOther, seen); });
}

TEST_F(GlobalRaces, a_block_writes_what_stands_there_by_chance) {
  int* word = zeros<int>(1);
  int* seen = allocated<int>(kBlocks);
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { rewrite<<<kBlocks, 1>>>(word, Rewrite::kBlind, seen); });
}

__global__ void copy_shifted(int* data, int shift) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  data[i] = data[i + shift] + 1;
}

TEST_F(GlobalRaces, a_block_reads_what_another_writes) {
  int* data = zeros<int>(2 * kBlocks * kThreads);
  expect_clean([=] { copy_shifted<<<kBlocks, kThreads>>>(data, kBlocks * kThreads); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { copy_shifted<<<kBlocks, kThreads>>>(data, kThreads); });
}

TEST_F(GlobalRaces, threads_of_a_block) {
  int* data = zeros<int>(2 * kThreads);
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { copy_shifted<<<1, kThreads>>>(data, 32); });
}

// A launch may read what the previous launch wrote.
TEST_F(GlobalRaces, launches_are_ordered) {
  int* data = zeros<int>(2 * kBlocks * kThreads);
  expect_clean([=] {
    copy_shifted<<<kBlocks, kThreads>>>(data, kBlocks * kThreads);
    copy_shifted<<<kBlocks / 2, 2 * kThreads>>>(data, kBlocks * kThreads);
  });
}

template <bool atomic>
__global__ void count(int* total) {
  if (atomic) {
    atomicAdd(total, 1);
  } else {
    *total += 1;
  }
}

TEST_F(GlobalRaces, sums_without_atomics) {
  int* total = zeros<int>(1);
  expect_clean([=] { count<true><<<kBlocks, kThreads>>>(total); });
  expect_finding(cudaErrorLaunchFailure, {"race: "}, [=] { count<false><<<kBlocks, 1>>>(total); });
}

enum class Missing { kNothing, kFence, kBarrier, kTicket };

// The last block adds up what all blocks have written.
template <Missing missing>
__global__ void sum_of_parts(int* parts, unsigned* tickets, int* total) {
  __shared__ bool last;
  parts[blockIdx.x * kThreads + threadIdx.x] = 1;
  if (missing != Missing::kFence) __threadfence();
  if (missing != Missing::kBarrier) __syncthreads();
  if (threadIdx.x == 0)
    last = missing == Missing::kTicket ? blockIdx.x == kBlocks - 1 : atomicAdd(tickets, 1) == kBlocks - 1;
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  int sum = 0;
  for (int i = 0; i < kBlocks * kThreads; ++i) sum += parts[i];
  *total = sum;
}

template <Missing missing>
void launch_sum(int* parts, unsigned* tickets, int* total) {
  cudaMemset(tickets, 0, sizeof *tickets);
  sum_of_parts<missing><<<kBlocks, kThreads>>>(parts, tickets, total);
}

TEST_F(GlobalRaces, last_block_is_ordered_by_its_ticket) {
  int* parts = allocated<int>(kBlocks * kThreads);
  unsigned* tickets = allocated<unsigned>(1);
  int* total = allocated<int>(1);
  expect_clean([=] { launch_sum<Missing::kNothing>(parts, tickets, total); });
  int sum = 0;
  ASSERT_EQ(cudaMemcpy(&sum, total, sizeof sum, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(sum, kBlocks * kThreads);
}

TEST_F(GlobalRaces, last_block_without_fence) {
  int* parts = zeros<int>(kBlocks * kThreads);
  unsigned* tickets = allocated<unsigned>(1);
  int* total = allocated<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"race: read of 4 bytes", "of block ("},
                 [=] { launch_sum<Missing::kFence>(parts, tickets, total); });
}

// One thread takes the ticket before the other warps of its block have written their values.
TEST_F(GlobalRaces, last_block_without_barrier) {
  int* parts = zeros<int>(kBlocks * kThreads);
  unsigned* tickets = allocated<unsigned>(1);
  int* total = allocated<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"race: read of 4 bytes", "of block ("},
                 [=] { launch_sum<Missing::kBarrier>(parts, tickets, total); });
}

TEST_F(GlobalRaces, last_block_by_its_number) {
  int* parts = zeros<int>(kBlocks * kThreads);
  unsigned* tickets = allocated<unsigned>(1);
  int* total = allocated<int>(1);
  expect_finding(cudaErrorLaunchFailure, {"race: ", "of block ("},
                 [=] { launch_sum<Missing::kTicket>(parts, tickets, total); });
}

}  // namespace global_races_test

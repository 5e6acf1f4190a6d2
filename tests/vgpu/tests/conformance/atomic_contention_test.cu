// SPDX-License-Identifier: Apache-2.0
//
// Tests compare-and-swap, wide and vector atomics, and atomics of many threads on the same address.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "atomic_operations.cuh"

namespace atomic_contention_test {

using namespace atomics;
using conformance::code_architecture;
using conformance::DeviceArray;

template <class T>
__global__ void compare_and_swap(T* values, T* olds) {
  const unsigned i = threadIdx.x;
  // Every second thread passes the stored value as the comparison operand, so its compare-and-swap succeeds.
  olds[i] = atomicCAS(&values[i], i % 2 == 0 ? static_cast<T>(100 + i) : static_cast<T>(i), static_cast<T>(7 * i + 1));
}

template <class T>
void check_compare_and_swap() {
  std::vector<T> initial(64);
  for (unsigned i = 0; i < 64; ++i) initial[i] = static_cast<T>(100 + i);
  DeviceArray<T> values(initial), olds(64);
  compare_and_swap<<<1, 64>>>(values.get(), olds.get());
  const auto old = olds.read(), now = values.read();
  EXPECT_EQ(old, initial);
  for (unsigned i = 0; i < 64; ++i) EXPECT_EQ(now[i], i % 2 == 0 ? static_cast<T>(7 * i + 1) : initial[i]) << i;
}

TEST(AtomicContention, CompareAndSwap) {
  check_compare_and_swap<U16>();
  check_compare_and_swap<U32>();
  check_compare_and_swap<U64>();
}

struct alignas(16) Wide {
  U64 low, high;
};

__global__ void wide(Wide* values, Wide* olds) {
#if __CUDA_ARCH__ >= 900
  olds[0] = atomicExch(&values[0], Wide{3, 4});
  olds[1] = atomicCAS(&values[1], Wide{5, 6}, Wide{7, 8});
  olds[2] = atomicCAS(&values[2], Wide{5, 0}, Wide{7, 8});
#endif
}

TEST(AtomicContention, SixteenBytes) {
  if (code_architecture() < 90) GTEST_SKIP() << "atomics of 16 bytes are of sm_90 and later";
  DeviceArray<Wide> values({{1, 2}, {5, 6}, {5, 6}}), olds(3);
  wide<<<1, 1>>>(values.get(), olds.get());
  const auto old = olds.read(), now = values.read();
  const auto numbers = [](const std::vector<Wide>& all) {
    std::vector<U64> each;
    for (const Wide& one : all) each.insert(each.end(), {one.low, one.high});
    return each;
  };
  EXPECT_EQ(numbers(old), (std::vector<U64>{1, 2, 5, 6, 5, 6}));
  EXPECT_EQ(numbers(now), (std::vector<U64>{3, 4, 7, 8, 5, 6}));
}

struct alignas(16) Vectors {
  float four[4], old_four[4], two[2], old_two[2];
  U16 halves[4], least[2], old_least[2], padding[8];
};

__global__ void add_vectors(Vectors* v) {
#if __CUDA_ARCH__ >= 900
  asm volatile("atom.global.add.v4.f32 {%0, %1, %2, %3}, [%4], {%5, %6, %7, %8};"
               : "=f"(v->old_four[0]), "=f"(v->old_four[1]), "=f"(v->old_four[2]), "=f"(v->old_four[3])
               : "l"(v->four), "f"(1.0f), "f"(2.0f), "f"(3.0f), "f"(4.0f)
               : "memory");
  asm volatile("atom.global.add.v2.f32 {%0, %1}, [%2], {%3, %4};"
               : "=f"(v->old_two[0]), "=f"(v->old_two[1])
               : "l"(v->two), "f"(0.5f), "f"(-0.5f)
               : "memory");
  asm volatile("red.global.add.noftz.v4.f16 [%0], {%1, %2, %3, %4};" ::"l"(v->halves), "h"(U16(0x3c00)),
               "h"(U16(0x4000)), "h"(U16(0x4200)), "h"(U16(0x4400))
               : "memory");
  asm volatile("atom.global.min.noftz.v2.bf16 {%0, %1}, [%2], {%3, %4};"
               : "=h"(v->old_least[0]), "=h"(v->old_least[1])
               : "l"(v->least), "h"(U16(0x3f80)), "h"(U16(0x3f80))
               : "memory");
#endif
}

TEST(AtomicContention, Vectors) {
  if (code_architecture() < 90) GTEST_SKIP() << "atomics of vectors are of sm_90 and later";
  Vectors before{{10, 20, 30, 40}, {}, {1, 2}, {}, {0x3c00, 0, 0x3c00, 0xc400}, {0xbf80, 0x4000}, {}, {}};
  DeviceArray<Vectors> data(std::vector<Vectors>{before});
  add_vectors<<<1, 1>>>(data.get());
  const Vectors after = data.read()[0];
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(after.old_four[i], before.four[i]);
    EXPECT_EQ(after.four[i], before.four[i] + float(i + 1));
  }
  EXPECT_EQ(after.old_two[0], 1.0f);
  EXPECT_EQ(after.two[0], 1.5f);
  EXPECT_EQ(after.two[1], 1.5f);
  const std::vector<U16> halves(after.halves, after.halves + 4), least(after.least, after.least + 2);
  EXPECT_EQ(halves, (std::vector<U16>{0x4000, 0x4000, 0x4400, 0}));
  EXPECT_EQ(least, (std::vector<U16>{0xbf80, 0x3f80}));
  EXPECT_EQ(after.old_least[1], 0x4000);
}

// ---- many threads ---------------------------------------------------------------------------------------------------

constexpr unsigned kBlocks = 24, kThreads = 160, kAllThreads = kBlocks * kThreads;

struct Counters {
  U32 tickets, wheel, down, halves;  // halves holds two 16-bit counters in one word
  U64 sum;
  float single;
  double twice;
  int most;
  U32 exchanged;
};

__global__ void contend(Counters* counters, U32* tickets, U32* chain) {
  __shared__ U32 of_block;
  if (threadIdx.x == 0) of_block = 0;
  __syncthreads();
  const U32 self = blockIdx.x * blockDim.x + threadIdx.x;
  tickets[self] = atomicAdd(&counters->tickets, 1u);
  atomicInc(&counters->wheel, 6);
  atomicDec(&counters->down, 9);
  atomicAdd(&counters->sum, 0x100000001ull);
  atomicAdd(&counters->single, 1.0f);
  atomicAdd(&counters->twice, 0.5);
  atomicMax(&counters->most, static_cast<int>(self * 7919 % 4001));
  chain[self] = atomicExch(&counters->exchanged, self + 1);
  atomicAdd(&of_block, 1u);
  U16* half = reinterpret_cast<U16*>(&counters->halves) + self % 2;
  for (U16 seen = *static_cast<volatile U16*>(half), old = 0;; seen = old) {
    old = atomicCAS(half, seen, static_cast<U16>(seen + 1));
    if (old == seen) break;
  }
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(&counters->sum, static_cast<U64>(of_block) << 48);
}

TEST(AtomicContention, Contention) {
  DeviceArray<Counters> counters(1);
  DeviceArray<U32> tickets(kAllThreads), chain(kAllThreads);
  contend<<<kBlocks, kThreads>>>(counters.get(), tickets.get(), chain.get());
  const Counters result = counters.read()[0];
  std::vector<U32> numbers(kAllThreads);
  std::iota(numbers.begin(), numbers.end(), 0u);
  auto drawn = tickets.read();
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(drawn, numbers);
  // Together, the returned values and the final value are the values that the threads stored, plus the initial 0.
  auto found = chain.read();
  found.push_back(result.exchanged);
  std::sort(found.begin(), found.end());
  numbers.push_back(kAllThreads);
  EXPECT_EQ(found, numbers);
  EXPECT_EQ(result.tickets, kAllThreads);
  EXPECT_EQ(result.wheel, kAllThreads % 7);
  EXPECT_EQ(result.down, (10 - kAllThreads % 10) % 10);
  EXPECT_EQ(result.sum, kAllThreads * 0x100000001ull + (static_cast<U64>(kAllThreads) << 48));
  EXPECT_EQ(result.single, float(kAllThreads));
  EXPECT_EQ(result.twice, kAllThreads * 0.5);
  int most = 0;
  for (U32 self = 0; self < kAllThreads; ++self) most = std::max(most, static_cast<int>(self * 7919 % 4001));
  EXPECT_EQ(result.most, most);
  EXPECT_EQ(result.halves, kAllThreads / 2 * 0x10001u);
}

}  // namespace atomic_contention_test

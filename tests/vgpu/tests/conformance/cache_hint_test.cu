// SPDX-License-Identifier: Apache-2.0
//
// Tests cache hints, both as instructions of their own and as qualifiers of accesses. They must not change results.
#include <cstdint>
#include <numeric>

#include "device_array.h"

namespace conformance::cache_hint_test {

constexpr int kCount = 128;

__global__ void prefetched(const int* in, int* out) {
  const int* mine = in + threadIdx.x;
  asm volatile("prefetch.global.L1 [%0];" ::"l"(mine));
  asm volatile("prefetch.global.L2 [%0+4];" ::"l"(mine));
  asm volatile("prefetch.L2 [%0];" ::"l"(mine));
  asm volatile("prefetch.global.L2::evict_last [%0];" ::"l"(mine));
  asm volatile("prefetch.global.L2::evict_normal [%0];" ::"l"(mine));
  asm volatile("prefetchu.L1 [%0];" ::"l"(mine));
  asm volatile("applypriority.global.L2::evict_normal [%0], 128;" ::"l"(in));
  out[threadIdx.x] = *mine + 1;
}

// The first 128 bytes are discarded after use and then written again.
__global__ void discarded(const int* in, int* out) {
  out[threadIdx.x] = -1;
  __syncthreads();
  if (threadIdx.x == 0) asm volatile("discard.global.L2 [%0], 128;" ::"l"(out) : "memory");
  __syncthreads();
  out[threadIdx.x] = in[threadIdx.x] + 1;
}

__device__ std::uint64_t policy(const int* in, unsigned which) {
  std::uint64_t result = 0;
  if (which == 0) {
    asm volatile("createpolicy.fractional.L2::evict_last.b64 %0;" : "=l"(result));
  } else if (which == 1) {
    asm volatile("createpolicy.fractional.L2::evict_last.L2::evict_first.b64 %0, 0.5;" : "=l"(result));
  } else {
    asm volatile("createpolicy.range.global.L2::evict_last.L2::evict_unchanged.b64 %0, [%1], 256, 512;"
                 : "=l"(result)
                 : "l"(in));
  }
  return result;
}

__global__ void with_policy(const int* in, int* out) {
  const std::uint64_t chosen = policy(in, threadIdx.x % 3);
  int value = 0;
  asm volatile("ld.global.L2::cache_hint.s32 %0, [%1], %2;" : "=r"(value) : "l"(in + threadIdx.x), "l"(chosen));
  asm volatile("st.global.L2::cache_hint.s32 [%0], %1, %2;" ::"l"(out + threadIdx.x), "r"(value + 1), "l"(chosen));
}

void check(void (*kernel)(const int*, int*)) {
  std::vector<int> values(kCount);
  std::iota(values.begin(), values.end(), 7);
  const DeviceArray<int> in(values), out(kCount);
  kernel<<<1, kCount>>>(in.get(), out.get());
  for (int& value : values) ++value;
  EXPECT_EQ(out.read(), values);
}

TEST(CacheHint, Prefetch) {
  if (architecture() < 80) GTEST_SKIP() << "needs sm_80";
  check(prefetched);
}

TEST(CacheHint, Discard) {
  if (architecture() < 80) GTEST_SKIP() << "needs sm_80";
  check(discarded);
}

TEST(CacheHint, Policy) {
  if (architecture() < 80) GTEST_SKIP() << "needs sm_80";
  check(with_policy);
}

}  // namespace conformance::cache_hint_test

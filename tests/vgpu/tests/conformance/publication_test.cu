// SPDX-License-Identifier: Apache-2.0
//
// Strong accesses to vectors of up to 16 bytes are single-copy atomic: one block repeatedly stores the same number in
// all elements, and another block must never see elements that differ. Two worker threads are needed for the blocks to
// run at the same time.
#include <cstdint>

#include "device_array.h"

namespace conformance::publication_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

struct TwoWords {
  using Element = U32;
  __device__ static void store(U32* at, U32 a) {
    asm volatile("st.relaxed.gpu.v2.u32 [%0], {%1, %1};" ::"l"(at), "r"(a) : "memory");
  }
  __device__ static bool load(const U32* at, U32* a) {
    U32 b = 0;
    asm volatile("ld.relaxed.gpu.v2.u32 {%0, %1}, [%2];" : "=r"(*a), "=r"(b) : "l"(at) : "memory");
    return *a == b;
  }
};

struct FourWords {
  using Element = U32;
  __device__ static void store(U32* at, U32 a) {
    asm volatile("st.volatile.v4.u32 [%0], {%1, %1, %1, %1};" ::"l"(at), "r"(a) : "memory");
  }
  __device__ static bool load(const U32* at, U32* a) {
    U32 b = 0, c = 0, d = 0;
    asm volatile("ld.volatile.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(*a), "=r"(b), "=r"(c), "=r"(d)
                 : "l"(at)
                 : "memory");
    return *a == b && b == c && c == d;
  }
};

struct TwoLongWords {
  using Element = U64;
  __device__ static void store(U64* at, U64 a) {
    asm volatile("st.relaxed.gpu.v2.u64 [%0], {%1, %1};" ::"l"(at), "l"(a) : "memory");
  }
  __device__ static bool load(const U64* at, U64* a) {
    U64 b = 0;
    asm volatile("ld.relaxed.gpu.v2.u64 {%0, %1}, [%2];" : "=l"(*a), "=l"(b) : "l"(at) : "memory");
    return *a == b;
  }
};

template <class Vector>
__global__ void publish(typename Vector::Element* at, int last, int* torn) {
  if (blockIdx.x == 0) {
    for (int i = 1; i <= last; ++i) Vector::store(at, i);
  } else {
    int wrong = 0;
    for (typename Vector::Element seen = 0; seen != last;) wrong += Vector::load(at, &seen) ? 0 : 1;
    *torn = wrong;
  }
}

template <class Vector>
int torn() {
  constexpr int kRounds = 1000000;
  const DeviceArray<typename Vector::Element> at(4);
  const DeviceArray<int> torn(1);
  publish<Vector><<<2, 1>>>(at.get(), kRounds, torn.get());
  return torn.read()[0];
}

TEST(Publication, TwoWords) { EXPECT_EQ(torn<TwoWords>(), 0); }
TEST(Publication, FourWords) { EXPECT_EQ(torn<FourWords>(), 0); }
TEST(Publication, TwoLongWords) { EXPECT_EQ(torn<TwoLongWords>(), 0); }

}  // namespace conformance::publication_test

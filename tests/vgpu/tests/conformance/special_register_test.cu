// SPDX-License-Identifier: Apache-2.0
//
// Tests special registers: those that are constant for a thread, and the clocks.
#include <cstdint>

#include "device_array.h"

namespace conformance::special_register_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

enum Register {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneid,
  kWarpid,
  kNwarpid,
  kSmid,
  kNsmid,
  kEq,
  kLe,
  kLt,
  kGe,
  kGt,
  kDynamic,
  kTotal,
  kRegisters
};

#define READ(name, which) asm volatile("mov.u32 %0, %%" name ";" : "=r"(out[which]))

__global__ void read_registers(U32* all) {
  const U32 block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const U32 thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  U32* out = all + (block * blockDim.x * blockDim.y * blockDim.z + thread) * kRegisters;
  READ("tid.x", kTidX);
  READ("tid.y", kTidY);
  READ("tid.z", kTidZ);
  READ("ntid.x", kNtidX);
  READ("ntid.y", kNtidY);
  READ("ntid.z", kNtidZ);
  READ("ctaid.x", kCtaidX);
  READ("ctaid.y", kCtaidY);
  READ("ctaid.z", kCtaidZ);
  READ("nctaid.x", kNctaidX);
  READ("nctaid.y", kNctaidY);
  READ("nctaid.z", kNctaidZ);
  READ("laneid", kLaneid);
  READ("warpid", kWarpid);
  READ("nwarpid", kNwarpid);
  READ("smid", kSmid);
  READ("nsmid", kNsmid);
  READ("lanemask_eq", kEq);
  READ("lanemask_le", kLe);
  READ("lanemask_lt", kLt);
  READ("lanemask_ge", kGe);
  READ("lanemask_gt", kGt);
  READ("dynamic_smem_size", kDynamic);
  READ("total_smem_size", kTotal);
}

TEST(SpecialRegister, OfEachThread) {
  const dim3 grid(3, 2, 2), block(5, 4, 3);
  const U32 threads = 60, blocks = 12;
  const DeviceArray<U32> out(threads * blocks * kRegisters);
  read_registers<<<grid, block, 256>>>(out.get());
  const std::vector<U32> all = out.read();
  for (U32 i = 0; i < threads * blocks; ++i) {
    const U32* at = &all[i * kRegisters];
    const U32 t = i % threads, b = i / threads, lane = t % 32;
    SCOPED_TRACE(testing::Message() << "thread " << t << " of block " << b);
    const U32 places[] = {t % 5, t / 5 % 4, t / 20, 5, 4, 3, b % 3, b / 3 % 2, b / 6, 3, 2, 2, lane};
    for (U32 which = kTidX; which <= kLaneid; ++which) ASSERT_EQ(at[which], places[which]) << which;
    ASSERT_LT(at[kWarpid], at[kNwarpid]);
    ASSERT_LT(at[kSmid], at[kNsmid]);
    const U32 self = 1u << lane;
    const U32 masks[] = {self, self | (self - 1), self - 1, ~(self - 1), ~(self - 1) & ~self};
    for (U32 which = kEq; which <= kGt; ++which) ASSERT_EQ(at[which], masks[which - kEq]) << which;
    ASSERT_EQ(at[kDynamic], 256u);
    ASSERT_GE(at[kTotal], 256u);
  }
}

__global__ void read_clocks(U64* out) {
  U32 low, high;
  U64 first, second, then, now;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(first)::"memory");
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(then)::"memory");
  // A loop that waits for a clock must terminate.
  do asm volatile("mov.u64 %0, %%clock64;" : "=l"(second)::"memory");
  while (second - first < 1000);
  do asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  while (now - then < 10000);
  asm volatile("mov.u32 %0, %%clock; mov.u32 %1, %%clock_hi;" : "=r"(low), "=r"(high)::"memory");
  out[0] = second - first;
  out[1] = now - then;
  out[2] = (U64{high} << 32 | low) - second;
  asm volatile("mov.u32 %0, %%globaltimer_lo; mov.u32 %1, %%globaltimer_hi;" : "=r"(low), "=r"(high)::"memory");
  out[3] = (U64{high} << 32 | low) - now;
}

TEST(SpecialRegister, Clocks) {
  const DeviceArray<U64> out(4);
  read_clocks<<<1, 1>>>(out.get());
  const std::vector<U64> passed = out.read();
  EXPECT_GE(passed[0], 1000u);
  EXPECT_GE(passed[1], 10000u);
  // The two halves of the clock were read one after the other, so they belong to a slightly later time.
  EXPECT_LT(passed[2], U64{1} << 40);
  EXPECT_LT(passed[3], U64{1} << 40);
}

}  // namespace conformance::special_register_test

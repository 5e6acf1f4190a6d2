// SPDX-License-Identifier: Apache-2.0
//
// Tests shfl.sync against its definition in the PTX ISA.
#include <cuda_fp16.h>

#include <cstdint>

#include "device_array.h"

namespace shuffle_test {

using conformance::DeviceArray;

constexpr int kLanes = 32;
constexpr std::uint32_t kAll = 0xffffffffu;

enum Mode { kUp, kDown, kButterfly, kIndex };

struct Result {
  std::uint32_t value, predicate;
  bool operator==(const Result& other) const { return value == other.value && predicate == other.predicate; }
};

void PrintTo(const Result& result, std::ostream* out) { *out << result.value << (result.predicate != 0 ? "|1" : "|0"); }

template <Mode mode>
__device__ Result shuffled(std::uint32_t value, std::uint32_t b, std::uint32_t c, std::uint32_t members) {
  Result result;
  if constexpr (mode == kUp)
    asm volatile("{.reg .pred p; shfl.sync.up.b32 %0|p, %2, %3, %4, %5; selp.u32 %1, 1, 0, p;}"
                 : "=r"(result.value), "=r"(result.predicate)
                 : "r"(value), "r"(b), "r"(c), "r"(members));
  if constexpr (mode == kDown)
    asm volatile("{.reg .pred p; shfl.sync.down.b32 %0|p, %2, %3, %4, %5; selp.u32 %1, 1, 0, p;}"
                 : "=r"(result.value), "=r"(result.predicate)
                 : "r"(value), "r"(b), "r"(c), "r"(members));
  if constexpr (mode == kButterfly)
    asm volatile("{.reg .pred p; shfl.sync.bfly.b32 %0|p, %2, %3, %4, %5; selp.u32 %1, 1, 0, p;}"
                 : "=r"(result.value), "=r"(result.predicate)
                 : "r"(value), "r"(b), "r"(c), "r"(members));
  if constexpr (mode == kIndex)
    asm volatile("{.reg .pred p; shfl.sync.idx.b32 %0|p, %2, %3, %4, %5; selp.u32 %1, 1, 0, p;}"
                 : "=r"(result.value), "=r"(result.predicate)
                 : "r"(value), "r"(b), "r"(c), "r"(members));
  return result;
}

__host__ __device__ std::uint32_t held_by(int lane) { return 0x1000u + 17u * static_cast<std::uint32_t>(lane); }

Result expected(Mode mode, int lane, std::uint32_t b, std::uint32_t c) {
  const int distance = static_cast<int>(b & 31), clamp = static_cast<int>(c & 31),
            segment = static_cast<int>(c >> 8 & 31);
  const int most = (lane & segment) | (clamp & ~segment), least = lane & segment;
  int source = 0;
  bool inside = false;
  switch (mode) {
    case kUp:
      source = lane - distance;
      inside = source >= most;
      break;
    case kDown:
      source = lane + distance;
      inside = source <= most;
      break;
    case kButterfly:
      source = lane ^ distance;
      inside = source <= most;
      break;
    case kIndex:
      source = least | (distance & ~segment);
      inside = source <= most;
  }
  return {held_by(inside ? source : lane), inside ? 1u : 0u};
}

// Each block tests one pair of b and c. Both are loaded from memory, so that each lane has them in a register.
template <Mode mode>
__global__ void shuffle_all(const std::uint32_t* b, const std::uint32_t* c, Result* out) {
  const int lane = static_cast<int>(threadIdx.x);
  out[blockIdx.x * kLanes + threadIdx.x] = shuffled<mode>(held_by(lane), b[blockIdx.x], c[blockIdx.x], kAll);
}

template <Mode mode>
void check_mode() {
  std::vector<std::uint32_t> bs, cs;
  for (const std::uint32_t segment : {0u, 16u, 24u, 28u, 30u, 31u, 5u})
    for (const std::uint32_t clamp : {0u, 31u, 7u, 20u})
      for (std::uint32_t b = 0; b < 34; ++b) {
        bs.push_back(b | 0xabcd00u << 8);  // bits above the low five must be ignored
        cs.push_back(segment << 8 | clamp | 0x40e0u);
      }
  DeviceArray<std::uint32_t> b(bs), c(cs);
  DeviceArray<Result> out(bs.size() * kLanes);
  shuffle_all<mode><<<static_cast<unsigned>(bs.size()), kLanes>>>(b.get(), c.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < bs.size(); ++i)
    for (int lane = 0; lane < kLanes; ++lane)
      ASSERT_EQ(results[i * kLanes + lane], expected(mode, lane, bs[i], cs[i]))
          << "lane " << lane << ", b " << bs[i] << ", c " << cs[i];
}

TEST(Shuffle, Up) { check_mode<kUp>(); }
TEST(Shuffle, Down) { check_mode<kDown>(); }
TEST(Shuffle, Butterfly) { check_mode<kButterfly>(); }
TEST(Shuffle, Index) { check_mode<kIndex>(); }

// Each lane may pass a different distance and a different clamp value.
__global__ void shuffle_by_lane(Result* out) {
  const std::uint32_t lane = threadIdx.x;
  out[lane] = shuffled<kIndex>(held_by(static_cast<int>(lane)), 31 - lane, lane < 16 ? 0x1f : 0x0f, kAll);
}

TEST(Shuffle, OperandsOfEachLane) {
  DeviceArray<Result> out(kLanes);
  shuffle_by_lane<<<1, kLanes>>>(out.get());
  const auto results = out.read();
  for (int lane = 0; lane < kLanes; ++lane)
    EXPECT_EQ(results[lane], expected(kIndex, lane, 31u - lane, lane < 16 ? 0x1f : 0x0f)) << lane;
}

// Odd and even lanes shuffle among themselves, on the two sides of a branch.
__global__ void shuffle_halves(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  std::uint32_t value = held_by(static_cast<int>(lane));
  if (lane % 2 == 1) {
    value = shuffled<kButterfly>(value, 2, 0x1f, 0xaaaaaaaau).value;
  } else {
    value = shuffled<kButterfly>(value, 4, 0x1f, 0x55555555u).value;
  }
  out[lane] = value;
}

TEST(Shuffle, MembersOnTwoSidesOfABranch) {
  DeviceArray<std::uint32_t> out(kLanes);
  shuffle_halves<<<1, kLanes>>>(out.get());
  const auto values = out.read();
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_EQ(values[lane], held_by(lane ^ (lane % 2 == 1 ? 2 : 4))) << lane;
}

// Converged groups of four lanes shuffle with a different mask each, and then groups of one lane.
__global__ void shuffle_groups(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  const std::uint32_t value =
      shuffled<kIndex>(held_by(static_cast<int>(lane)), 1, 28 << 8 | 31, 0xfu << (lane & ~3u)).value;
  out[lane] = shuffled<kIndex>(value, lane, 0x1f, 1u << lane).value;
}

TEST(Shuffle, SeveralMasksInOneInstruction) {
  DeviceArray<std::uint32_t> out(kLanes);
  shuffle_groups<<<1, kLanes>>>(out.get());
  const auto values = out.read();
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_EQ(values[lane], held_by((lane & ~3) + 1)) << lane;
}

// The shuffle waits for lanes that arrive later, after a different number of loop iterations.
__global__ void shuffle_after_loops(std::uint32_t* out, const std::uint32_t* turns) {
  const std::uint32_t lane = threadIdx.x;
  std::uint32_t value = 1;
  for (std::uint32_t turn = 0; turn < turns[lane]; ++turn) value = value * 3 + lane;
  out[lane] = shuffled<kIndex>(value, lane + 1, 0x1f, kAll).value;
}

TEST(Shuffle, WaitsForItsMembers) {
  std::vector<std::uint32_t> turns(kLanes), values(kLanes, 1);
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    turns[lane] = lane * 37 % 101;
    for (std::uint32_t turn = 0; turn < turns[lane]; ++turn) values[lane] = values[lane] * 3 + lane;
  }
  DeviceArray<std::uint32_t> out(kLanes), counts(turns);
  shuffle_after_loops<<<1, kLanes>>>(out.get(), counts.get());
  const auto results = out.read();
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_EQ(results[lane], values[(lane + 1) % kLanes]) << lane;
}

// A block of twenty threads is a warp in which twelve lanes do not exist.
__global__ void shuffle_in_part_of_a_warp(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  out[lane] = shuffled<kDown>(held_by(static_cast<int>(lane)), 5, 19, (1u << 20) - 1).value;
}

TEST(Shuffle, PartOfAWarp) {
  DeviceArray<std::uint32_t> out(20);
  shuffle_in_part_of_a_warp<<<1, 20>>>(out.get());
  const auto values = out.read();
  for (int lane = 0; lane < 20; ++lane) EXPECT_EQ(values[lane], held_by(lane < 15 ? lane + 5 : lane)) << lane;
}

struct Wide {
  double number;
  long long integer;
  float single;
  __half2 halves;
};

__global__ void shuffle_types(Wide* out) {
  const int lane = static_cast<int>(threadIdx.x);
  Wide wide{1.0 / (lane + 1), -(1ll << (lane + 30)), 0.1f * lane, __floats2half2_rn(lane, -lane)};
  wide.number = __shfl_xor_sync(kAll, wide.number, 3);
  wide.integer = __shfl_down_sync(kAll, wide.integer, 1, 8);
  wide.single = __shfl_up_sync(kAll, wide.single, 2);
  wide.halves = __shfl_sync(kAll, wide.halves, 5);
  out[lane] = wide;
}

TEST(Shuffle, IntrinsicsOfOtherTypes) {
  DeviceArray<Wide> out(kLanes);
  shuffle_types<<<1, kLanes>>>(out.get());
  const auto results = out.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(results[lane].number, 1.0 / ((lane ^ 3) + 1));
    EXPECT_EQ(results[lane].integer, -(1ll << ((lane % 8 < 7 ? lane + 1 : lane) + 30)));
    EXPECT_EQ(results[lane].single, 0.1f * (lane < 2 ? lane : lane - 2));
    EXPECT_EQ(__low2float(results[lane].halves), 5.0f);
    EXPECT_EQ(__high2float(results[lane].halves), -5.0f);
  }
}

}  // namespace shuffle_test

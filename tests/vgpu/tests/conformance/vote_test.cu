// SPDX-License-Identifier: Apache-2.0
//
// Tests vote, activemask, match, redux and elect.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>

#include "elementwise.cuh"

namespace vote_test {

using conformance::code_architecture;
using conformance::DeviceArray;

constexpr int kLanes = 32;
constexpr std::uint32_t kAll = 0xffffffffu;

// Inputs and results have one word per lane; each block is one warp with its own inputs.
std::vector<std::uint32_t> patterns() {
  std::vector<std::uint32_t> all{0, kAll, 1, 0x80000000u, 0xaaaaaaaau, 0x0000ffffu, 0x7fffffffu};
  std::mt19937 random(1);
  while (all.size() < 40) all.push_back(static_cast<std::uint32_t>(random()));
  return all;
}

std::uint32_t bit(std::uint32_t mask, int lane) { return mask >> lane & 1; }

// ---- vote -----------------------------------------------------------------------------------------------------------

struct Votes {
  std::uint32_t all, any, uniform, none, ballot, negated;
};

__global__ void vote(const std::uint32_t* patterns, const std::uint32_t* members, Votes* out) {
  const std::uint32_t lane = threadIdx.x, mask = members[blockIdx.x];
  if ((mask >> lane & 1) == 0) return;
  const std::uint32_t mine = patterns[blockIdx.x] >> lane & 1;
  Votes votes;
  asm volatile(
      "{.reg .pred p, q;\n"
      "setp.ne.u32 p, %6, 0;\n"
      "vote.sync.all.pred q, p, %7; selp.u32 %0, 1, 0, q;\n"
      "vote.sync.any.pred q, p, %7; selp.u32 %1, 1, 0, q;\n"
      "vote.sync.uni.pred q, p, %7; selp.u32 %2, 1, 0, q;\n"
      "vote.sync.all.pred q, !p, %7; selp.u32 %3, 1, 0, q;\n"
      "vote.sync.ballot.b32 %4, p, %7;\n"
      "vote.sync.ballot.b32 %5, !p, %7;}\n"
      : "=r"(votes.all), "=r"(votes.any), "=r"(votes.uniform), "=r"(votes.none), "=r"(votes.ballot), "=r"(votes.negated)
      : "r"(mine), "r"(mask));
  out[blockIdx.x * kLanes + lane] = votes;
}

TEST(Vote, AllForms) {
  std::vector<std::uint32_t> votes, masks;
  for (const std::uint32_t pattern : patterns())
    for (const std::uint32_t mask : {kAll, 0x00ff00ffu, 0x80000001u, 0x00010000u}) {
      votes.push_back(pattern);
      masks.push_back(mask);
    }
  DeviceArray<std::uint32_t> device_votes(votes), device_masks(masks);
  DeviceArray<Votes> out(votes.size() * kLanes);
  vote<<<static_cast<unsigned>(votes.size()), kLanes>>>(device_votes.get(), device_masks.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < votes.size(); ++i)
    for (int lane = 0; lane < kLanes; ++lane) {
      if (bit(masks[i], lane) == 0) continue;
      const Votes& result = results[i * kLanes + lane];
      const std::uint32_t in_favour = votes[i] & masks[i];
      SCOPED_TRACE(testing::Message() << std::hex << votes[i] << " of " << masks[i]);
      EXPECT_EQ(result.all, in_favour == masks[i] ? 1u : 0u);
      EXPECT_EQ(result.any, in_favour != 0 ? 1u : 0u);
      EXPECT_EQ(result.uniform, in_favour == 0 || in_favour == masks[i] ? 1u : 0u);
      EXPECT_EQ(result.none, in_favour == 0 ? 1u : 0u);
      EXPECT_EQ(result.ballot, in_favour);
      EXPECT_EQ(result.negated, masks[i] & ~votes[i]);
    }
}

// Converged lanes use four different masks, and each group has its own result.
__global__ void vote_in_groups(std::uint32_t pattern, std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x, mask = 0xffu << (lane & ~7u);
  const bool mine = pattern >> lane & 1;
  out[lane] = __ballot_sync(mask, mine);
  out[kLanes + lane] = __all_sync(mask, mine);
}

TEST(Vote, SeveralMasksInOneInstruction) {
  const std::uint32_t pattern = 0x00ff3412u;
  DeviceArray<std::uint32_t> out(2 * kLanes);
  vote_in_groups<<<1, kLanes>>>(pattern, out.get());
  const auto results = out.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    const std::uint32_t mask = 0xffu << (lane & ~7);
    EXPECT_EQ(results[lane], pattern & mask) << lane;
    EXPECT_EQ(results[kLanes + lane], (pattern & mask) == mask ? 1u : 0u) << lane;
  }
}

__global__ void active(std::uint32_t* out) {
  const std::uint32_t lane = threadIdx.x;
  if (lane % 3 == 0) {
    __syncwarp(0x49249249u);
    out[lane] = __activemask();
  } else {
    __syncwarp(0xb6db6db6u);
    out[lane] = __activemask();
  }
  __syncwarp();
  out[kLanes + lane] = __activemask();
}

TEST(Vote, ActiveMask) {
  DeviceArray<std::uint32_t> out(2 * kLanes);
  active<<<1, kLanes>>>(out.get());
  const auto results = out.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(results[lane], lane % 3 == 0 ? 0x49249249u : 0xb6db6db6u) << lane;
    EXPECT_EQ(results[kLanes + lane], kAll) << lane;
  }
}

// ---- match ----------------------------------------------------------------------------------------------------------

struct Matches {
  std::uint32_t any, all, predicate, wide_any, wide_all, wide_predicate;
};

__global__ void match(const std::uint64_t* values, const std::uint32_t* members, Matches* out) {
  const std::uint32_t lane = threadIdx.x, mask = members[blockIdx.x];
  if ((mask >> lane & 1) == 0) return;
  const std::uint64_t value = values[blockIdx.x * kLanes + lane];
  Matches matches;
  asm volatile(
      "{.reg .pred p;\n"
      "match.any.sync.b32 %0, %6, %8;\n"
      "match.all.sync.b32 %1|p, %6, %8; selp.u32 %2, 1, 0, p;\n"
      "match.any.sync.b64 %3, %7, %8;\n"
      "match.all.sync.b64 %4|p, %7, %8; selp.u32 %5, 1, 0, p;}\n"
      : "=r"(matches.any), "=r"(matches.all), "=r"(matches.predicate), "=r"(matches.wide_any), "=r"(matches.wide_all),
        "=r"(matches.wide_predicate)
      : "r"(static_cast<std::uint32_t>(value)), "l"(value), "r"(mask));
  out[blockIdx.x * kLanes + lane] = matches;
}

template <class T>
std::uint32_t lanes_with(const std::uint64_t* values, std::uint32_t mask, T value) {
  std::uint32_t same = 0;
  for (int lane = 0; lane < kLanes; ++lane)
    if (bit(mask, lane) != 0 && static_cast<T>(values[lane]) == value) same |= 1u << lane;
  return same;
}

TEST(Match, AnyAndAll) {
  std::vector<std::uint64_t> values;
  std::vector<std::uint32_t> masks;
  std::mt19937_64 random(2);
  for (int kind = 0; kind < 6; ++kind)
    for (const std::uint32_t mask : {kAll, 0x0f0f0f0fu, 0x40000000u}) {
      masks.push_back(mask);
      for (int lane = 0; lane < kLanes; ++lane) {
        const std::uint64_t few = random() % 3;
        // All lanes have the same value; the lower 32 bits alone are the same; there are few values; all lanes differ;
        // all but one are the same; few values differ in the upper bits as well.
        const std::uint64_t choices[] = {
            7, few << 32 | 7, few, std::uint64_t(lane), lane == 8 ? 1u : 0u, few << 40 | few};
        values.push_back(choices[kind]);
      }
    }
  DeviceArray<std::uint64_t> device_values(values);
  DeviceArray<std::uint32_t> device_masks(masks);
  DeviceArray<Matches> out(values.size());
  match<<<static_cast<unsigned>(masks.size()), kLanes>>>(device_values.get(), device_masks.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < masks.size(); ++i)
    for (int lane = 0; lane < kLanes; ++lane) {
      if (bit(masks[i], lane) == 0) continue;
      const std::uint64_t* of_warp = &values[i * kLanes];
      const std::uint32_t narrow = lanes_with(of_warp, masks[i], static_cast<std::uint32_t>(of_warp[lane]));
      const std::uint32_t wide = lanes_with(of_warp, masks[i], of_warp[lane]);
      const Matches& result = results[i * kLanes + lane];
      EXPECT_EQ(result.any, narrow);
      EXPECT_EQ(result.all, narrow == masks[i] ? narrow : 0);
      EXPECT_EQ(result.predicate, narrow == masks[i] ? 1u : 0u);
      EXPECT_EQ(result.wide_any, wide);
      EXPECT_EQ(result.wide_all, wide == masks[i] ? wide : 0);
      EXPECT_EQ(result.wide_predicate, wide == masks[i] ? 1u : 0u);
    }
}

// ---- redux and elect ------------------------------------------------------------------------------------------------

struct Reduced {
  std::uint32_t sum, least, most, conjunction, disjunction, difference;
  std::int32_t signed_sum, signed_least, signed_most;
};

__global__ void reduce(const std::uint32_t* values, const std::uint32_t* members, Reduced* out) {
#if __CUDA_ARCH__ >= 800
  const std::uint32_t lane = threadIdx.x, mask = members[blockIdx.x * kLanes + lane];
  if (mask == 0) return;
  const std::uint32_t value = values[blockIdx.x * kLanes + lane];
  Reduced reduced;
  asm volatile("redux.sync.add.u32 %0, %1, %2;" : "=r"(reduced.sum) : "r"(value), "r"(mask));
  asm volatile("redux.sync.min.u32 %0, %1, %2;" : "=r"(reduced.least) : "r"(value), "r"(mask));
  asm volatile("redux.sync.max.u32 %0, %1, %2;" : "=r"(reduced.most) : "r"(value), "r"(mask));
  asm volatile("redux.sync.and.b32 %0, %1, %2;" : "=r"(reduced.conjunction) : "r"(value), "r"(mask));
  asm volatile("redux.sync.or.b32 %0, %1, %2;" : "=r"(reduced.disjunction) : "r"(value), "r"(mask));
  asm volatile("redux.sync.xor.b32 %0, %1, %2;" : "=r"(reduced.difference) : "r"(value), "r"(mask));
  asm volatile("redux.sync.add.s32 %0, %1, %2;" : "=r"(reduced.signed_sum) : "r"(value), "r"(mask));
  asm volatile("redux.sync.min.s32 %0, %1, %2;" : "=r"(reduced.signed_least) : "r"(value), "r"(mask));
  asm volatile("redux.sync.max.s32 %0, %1, %2;" : "=r"(reduced.signed_most) : "r"(value), "r"(mask));
  out[blockIdx.x * kLanes + lane] = reduced;
#endif
}

TEST(Redux, AllOperations) {
  if (code_architecture() < 80) GTEST_SKIP() << "redux is of sm_80 and later";
  std::vector<std::uint32_t> values, masks;
  std::mt19937 random(3);
  const std::uint32_t extremes[] = {0, 1, kAll, 0x80000000u, 0x7fffffffu};
  for (int round = 0; round < 20; ++round)
    for (int lane = 0; lane < kLanes; ++lane) {
      values.push_back(round % 2 == 0 ? static_cast<std::uint32_t>(random()) : extremes[random() % 5]);
      // The masks cover the whole warp, every third lane, or pairs, each of which reduces separately.
      masks.push_back(round % 3 == 0 ? kAll : round % 3 == 1 ? (lane % 3 == 0 ? 0x49249249u : 0) : 3u << (lane & ~1));
    }
  DeviceArray<std::uint32_t> device_values(values), device_masks(masks);
  DeviceArray<Reduced> out(values.size());
  reduce<<<20, kLanes>>>(device_values.get(), device_masks.get(), out.get());
  const auto results = out.read();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (masks[i] == 0) continue;
    Reduced expected{
        0, kAll, 0, kAll, 0, 0, 0, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()};
    for (int lane = 0; lane < kLanes; ++lane) {
      if (bit(masks[i], lane) == 0) continue;
      const std::uint32_t value = values[i / kLanes * kLanes + lane];
      const auto as_signed = static_cast<std::int32_t>(value);
      expected.sum += value;
      expected.least = std::min(expected.least, value);
      expected.most = std::max(expected.most, value);
      expected.conjunction &= value;
      expected.disjunction |= value;
      expected.difference ^= value;
      expected.signed_least = std::min(expected.signed_least, as_signed);
      expected.signed_most = std::max(expected.signed_most, as_signed);
    }
    EXPECT_EQ(results[i].sum, expected.sum);
    EXPECT_EQ(results[i].least, expected.least);
    EXPECT_EQ(results[i].most, expected.most);
    EXPECT_EQ(results[i].conjunction, expected.conjunction);
    EXPECT_EQ(results[i].disjunction, expected.disjunction);
    EXPECT_EQ(results[i].difference, expected.difference);
    EXPECT_EQ(static_cast<std::uint32_t>(results[i].signed_sum), expected.sum);
    EXPECT_EQ(results[i].signed_least, expected.signed_least);
    EXPECT_EQ(results[i].signed_most, expected.signed_most);
  }
}

__global__ void elect(std::uint32_t* leaders, std::uint32_t* elected) {
#if __CUDA_ARCH__ >= 900
  const std::uint32_t lane = threadIdx.x, mask = lane < 5 ? 0x1fu : ~0x1fu;
  std::uint32_t leader, chosen;
  asm volatile("{.reg .pred p; elect.sync %0|p, %2; selp.u32 %1, 1, 0, p;}" : "=r"(leader), "=r"(chosen) : "r"(mask));
  leaders[lane] = leader;
  elected[lane] = chosen;
#endif
}

TEST(Elect, OneLeaderOfEachGroup) {
  if (code_architecture() < 90) GTEST_SKIP() << "elect is of sm_90 and later";
  DeviceArray<std::uint32_t> leaders(kLanes), elected(kLanes);
  elect<<<1, kLanes>>>(leaders.get(), elected.get());
  const auto leader = leaders.read(), chosen = elected.read();
  for (int lane = 0; lane < kLanes; ++lane) {
    EXPECT_EQ(leader[lane], leader[lane < 5 ? 0 : 5]);
    EXPECT_EQ(chosen[lane], leader[lane] == static_cast<std::uint32_t>(lane) ? 1u : 0u);
  }
  EXPECT_LT(leader[0], 5u);
  EXPECT_GE(leader[5], 5u);
}

}  // namespace vote_test

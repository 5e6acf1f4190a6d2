// SPDX-License-Identifier: Apache-2.0
//
// Tests collective and asynchronous instructions: what is refused, what is reported, and behaviour that CUDA programs
// must not depend on.
#include "exec/kernel_text.h"

namespace vgpu {
namespace {

TEST(Together, WhatHasNoMeaningIsRefusedByName) {
  for (const char* instruction :
       {"shfl.idx.b32 %r2, %r3, %r4, %r5;",
        "shfl.sync.idx.b64 %l4, %l5, %r4, %r5, %r6;",
        "vote.all.pred %p1, %p2;",
        "match.any.sync.b16 %r2, %h1, -1;",
        "match.any.sync.b32 %r2|%p1, %r3, -1;",
        "redux.sync.add.b32 %r2, %r3, -1;",
        "redux.sync.add.f32 %r2, %r3, -1;",
        "redux.sync.min.abs.s32 %r2, %r3, -1;",
        "elect.sync %r2, -1;",
        "barrier.cluster.arrive.aligned;",
        "barrier.cluster.wait.aligned;",
        "atom.global.add.s64 %l4, [%l1], %l5;",
        "atom.global.cas.f32 %r2, [%l1], %r3, %r4;",
        "atom.global.inc.s32 %r2, [%l1], %r3;",
        "atom.global.add.v2.u32 {%r2, %r3}, [%l1], {%r4, %r5};",
        "atom.global.min.noftz.f16 %h1, [%l1], %h2;",
        "atom.global.cas.b8 %h1, [%l1], %h2, %h3;",
        "red.global.exch.b32 [%l1], %r2;",
        "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r2], %r3, [%r4];",
        "multimem.red.global.add.u32 [%l1], %r2;",
        "membar.proxy.alias;",
        "fence;",
        "fence.proxy.tensormap::generic.release.gpu;",
        "cp.async.ca.shared.global [%r2], [%l1], 12;",
        "cp.async.cg.shared.global [%r2], [%l1], 8;",
        "cp.async.wait_group %r2;",
        "cp.async.bulk.commit_group.read;",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r2], [%l1, {%r3, %r4}], "
        "[%r5];",
        "cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%l1, {%r3, %r4}];",
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r2], [%l1], %r3, "
        "[%r4], %h1;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.exch.b32 [%l1], [%r2], %r3;",
        "cp.reduce.async.bulk.tensor.1d.global.shared::cta.add.tile.bulk_group [%l1, {%r2}], [%r3];",
        "mbarrier.arrive.shared.b32 %r2, [%r3];",
        "mbarrier.try_wait.shared.b64 %r2, [%r3], %l4;",
        "ldmatrix.sync.aligned.m16n16.x1.trans.shared.b8 {%r2, %r3}, [%r4];",
        "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r2}, [%r4];",
        "stmatrix.sync.m8n8.x1.shared.b16 [%r4], {%r2};",
        "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {%r2, %r3}, {%r4}, {%r5}, {%r6, %r7};",
        "mma.sync.aligned.m16n8k16.row.row.f32.f16.f16.f32 {%r2,%r3,%r4,%r5}, {%r6,%r7,%r8,%r9}, {%r10,%r11}, "
        "{%r2,%r3,%r4,%r5};",
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.bf16.f32 {%r2,%r3,%r4,%r5}, {%r6,%r7,%r8,%r9}, {%r10,%r11}, "
        "{%r2,%r3,%r4,%r5};",
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%r2,%r3,%r4,%r5}, {%r6,%r7,%r8,%r9}, {%r10,%r11}, "
        "{%r2,%r3,%r4,%r5};",
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%r2,%r3,%r4,%r5}, {%r6,%r7,%r8,%r9}, {%r10}, "
        "{%r2,%r3,%r4,%r5};",
        "mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%r2,%r3,%r4,%r5}, {%r6,%r7}, {%r8,%r9}, "
        "{%r2,%r3,%r4,%r5}, %r10, 0;",
        "wmma.load.a.sync.aligned.row.m16n16k16.global.f32 {%r2,%r3,%r4,%r5,%r6,%r7,%r8}, [%l1], %r9;",
        "wgmma.fence.sync.aligned;",
        "wgmma.commit_group.sync.aligned;",
        "tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%r2], 32;",
        "setmaxnreg.inc.sync.aligned.u64 32;"}) {
    const LaunchResult result = run_kernel(instruction, 1).result;
    ASSERT_TRUE(result.finding) << instruction;
    EXPECT_EQ(result.finding->kind, Finding::Kind::kIllegalInstruction);
    const std::string text = std::string(instruction).substr(0, std::strlen(instruction) - 1);
    EXPECT_NE(result.finding->what.find(text), std::string::npos) << result.finding->what;
  }
}

TEST(Together, CountedForTheirPipes) {
  const auto counts = [](const std::string& body) { return run_kernel(body, 32).result.counters.warp_instructions; };
  const auto before = counts("mov.u32 %r2, 0;");
  const auto expect_one = [&](const std::string& body, Pipe pipe) {
    const auto after = counts("mov.u32 %r2, 0;" + body);
    EXPECT_EQ(after[static_cast<std::size_t>(pipe)], before[static_cast<std::size_t>(pipe)] + 1) << body;
  };
  expect_one("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%r2,%r2,%r2,%r2}, {%r2,%r2}, {%r2}, {%r2,%r2,%r2,%r2};",
             Pipe::kTensor);
  expect_one("shfl.sync.bfly.b32 %r0, %r1, 1, 31, -1;", Pipe::kLoadStore);
  expect_one("atom.global.add.u32 %r0, [%l2], 1;", Pipe::kLoadStore);
  expect_one("vote.sync.ballot.b32 %r0, 1, -1;", Pipe::kAlu);
  expect_one("nanosleep.u32 20;", Pipe::kControl);
}

// ---- faults ---------------------------------------------------------------------------------------------------------

constexpr const char* kInitialise =
    "mov.u32 %r2, shared; setp.eq.u32 %p1, %r1, 0; @%p1 mbarrier.init.shared.b64 [%r2], 2; bar.sync 0;\n";

void expect_finding(const std::string& body, std::uint32_t threads, Finding::Kind kind, const std::string& what) {
  const LaunchResult result = run_kernel(body, threads).result;
  ASSERT_TRUE(result.finding) << body;
  EXPECT_EQ(result.finding->kind, kind) << result.finding->text();
  EXPECT_NE(result.finding->what.find(what), std::string::npos) << result.finding->what;
}

TEST(Together, LanesThatAreNotThere) {
  constexpr auto kKind = Finding::Kind::kDivergentBarrier;
  expect_finding("shfl.sync.down.b32 %r0, %r1, 4, 31, 0xffff;", 16, kKind, "shfl from an inactive lane: 16");
  expect_finding("setp.lt.u32 %p1, %r1, 9; @%p1 exit; shfl.sync.idx.b32 %r0, %r1, 8, 31, -1;", 32, kKind,
                 "shfl from an inactive lane: 8");
  expect_finding("vote.sync.ballot.b32 %r0, 1, 0xfe;", 8, kKind, "not in the member mask 0xfe");
  expect_finding("shl.b32 %r2, %r1, 2; or.b32 %r2, %r2, 3; redux.sync.or.b32 %r0, %r1, %r2;", 2, kKind,
                 "do not come here");
  expect_finding("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r0}, [shared];", 24, kKind, "by the lanes 0xffffff alone");
}

TEST(Together, MisusedMbarriers) {
  constexpr auto kKind = Finding::Kind::kDivergentBarrier;
  const std::string arrive = "mbarrier.arrive.shared.b64 %l4, [%r2];";
  expect_finding("mov.u32 %r2, shared; mbarrier.init.shared.b64 [%r2], 0;", 1, kKind, "0 arrivals of 1 to 2^20 - 1");
  expect_finding(kInitialise + ("mbarrier.inval.shared.b64 [%r2];" + arrive), 1, kKind, "none that is initialised");
  expect_finding(kInitialise + std::string("mbarrier.arrive.shared.b64 %l4, [%r2], 3;"), 1, kKind,
                 "3 arrivals, where the phase waits for 2");
  expect_finding(kInitialise + std::string("mbarrier.arrive.noComplete.shared.b64 %l4, [%r2], 2;"), 1, kKind,
                 ".noComplete");
  expect_finding(kInitialise + std::string("mbarrier.complete_tx.shared.b64 [%r2], 16;"), 1, kKind,
                 "more bytes complete");
  expect_finding("mbarrier.arrive.b64 %l4, [%l1];", 1, Finding::Kind::kIllegalAddress, "not in shared memory");
}

TEST(Together, MisusedCopies) {
  constexpr auto kKind = Finding::Kind::kAsyncCopy;
  const std::string copy =
      "mov.u32 %r3, shared+16; cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%l3], 32, "
      "[%r2];";
  const std::string wait = "WAIT: mbarrier.try_wait.parity.shared.b64 %p2, [%r2], 0; @!%p2 bra WAIT;";
  const std::string expect =
      "mbarrier.arrive.expect_tx.shared.b64 %l4, [%r2], 16; mbarrier.arrive.shared.b64 %l4, [%r2];";
  expect_finding(kInitialise + copy + expect + wait, 1, kKind, "16 bytes more than the mbarrier was told to expect");
  expect_finding(kInitialise + copy + "mbarrier.arrive.shared.b64 %l4, [%r2], 2;", 1, kKind,
                 "completes while copies are under way");
  expect_finding("mov.u32 %r3, shared; cp.async.bulk.global.shared::cta.bulk_group [%l1], [%r3], 24;", 1,
                 Finding::Kind::kMisaligned, "a bulk copy of 24 bytes");
  expect_finding("mov.u32 %r3, shared; cp.async.ca.shared.global [%r3], [%l3], 4, 5;", 1,
                 Finding::Kind::kIllegalInstruction, "a copy of 4 bytes out of 5");
  expect_finding("mov.u32 %r3, shared+4; cp.async.ca.shared.global [%r3], [%l3], 8;", 1, Finding::Kind::kMisaligned,
                 "not a multiple of 8");
  expect_finding("mov.u32 %r3, shared; mapa.shared::cluster.u32 %r0, %r3, 1;", 1, Finding::Kind::kIllegalInstruction,
                 "block 1 of a cluster that has one");
}

// ---- what programs must not depend on -------------------------------------------------------------------------------

// A copy is performed when the program waits for it, not before. The checks report earlier accesses; without the
// checks, the old bytes are read.
TEST(Together, CopiesAreLate) {
  const std::string copy =
      "mov.u32 %r2, shared; st.shared.u32 [%r2], 7; cp.async.ca.shared.global [%r2], [%l3+8], 4; "
      "cp.async.commit_group;\n";
  const std::string load = "ld.shared.u32 %r0, [%r2];";
  Options unchecked;
  unchecked.check_races = false;
  EXPECT_EQ(words_of(copy + load, 1, unchecked)[0], 7u);
  EXPECT_EQ(words_of(copy + "cp.async.wait_group 1;" + load, 1, unchecked)[0], 7u);
  EXPECT_EQ(words_of(copy + "cp.async.wait_group 0;" + load, 1)[0], 1002u);
  expect_finding(copy + load, 1, Finding::Kind::kAsyncCopy, "read of 4 bytes");
}

TEST(Together, BulkCopiesAreLate) {
  const std::string copy =
      "mov.u32 %r2, shared; mov.u32 %r3, 9; st.shared.v4.u32 [%r2], {%r3, %r3, %r3, %r3};\n"
      "cp.async.bulk.global.shared::cta.bulk_group [%l1+16], [%r2], 16; cp.async.bulk.commit_group;\n";
  Options unchecked;
  unchecked.check_races = false;
  EXPECT_EQ(words_of(copy, 1, unchecked)[4], 0u);
  EXPECT_EQ(words_of(copy + "cp.async.bulk.wait_group.read 0;", 1)[4], 9u);
}

// Lanes execute an atomic operation in lane order. With a seed the order differs, and is the same for the same seed.
TEST(Together, OrderOfAtomics) {
  const std::string exchange = "add.u32 %r2, %r1, 1; add.u64 %l4, %l1, 128; atom.global.exch.b32 %r0, [%l4], %r2;";
  const auto found = [&](std::uint64_t seed) {
    Options options;
    options.seed = seed;
    Words words = words_of(exchange, 32, options);
    return std::vector<std::uint32_t>(words.begin(), words.begin() + 32);
  };
  std::vector<std::uint32_t> natural(32);
  for (std::uint32_t lane = 0; lane < 32; ++lane) natural[lane] = lane;
  EXPECT_EQ(found(0), natural);
  EXPECT_NE(found(1), natural);
  EXPECT_NE(found(2), found(1));
  EXPECT_EQ(found(1), found(1));
}

// ---- sm_100 instructions, for which nvcc does not compile here ------------------------------------------------------

TEST(Together, FloatReductions) {
  const auto reduced = [](const std::string& instruction, const std::array<std::uint32_t, 4>& values) {
    std::string body = "mov.u32 %r2, " + std::to_string(values[0]) + ";";
    for (std::size_t i = 1; i < values.size(); ++i)
      body += "setp.eq.u32 %p1, %r1, " + std::to_string(i) + "; @%p1 mov.u32 %r2, " + std::to_string(values[i]) + ";";
    return words_of(body + instruction + " %r0, %r2, 15;", 4)[3];
  };
  constexpr std::uint32_t kOne = 0x3f800000, kMinusTwo = 0xc0000000, kNan = 0x7fc00000, kMinusZero = 0x80000000;
  EXPECT_EQ(reduced("redux.sync.min.f32", {kOne, kMinusTwo, 0, kNan}), kMinusTwo);
  EXPECT_EQ(reduced("redux.sync.max.f32", {kOne, kMinusTwo, 0, kNan}), kOne);
  EXPECT_EQ(reduced("redux.sync.max.abs.f32", {kOne, kMinusTwo, 0, kNan}), 0x40000000u);
  EXPECT_EQ(reduced("redux.sync.min.NaN.f32", {kOne, kMinusTwo, 0, kNan}), 0x7fffffffu);
  EXPECT_EQ(reduced("redux.sync.min.f32", {kNan, kNan, kNan, kNan}), 0x7fffffffu);
  EXPECT_EQ(reduced("redux.sync.min.f32", {0, kMinusZero, 0, kOne}), kMinusZero);
  EXPECT_EQ(reduced("redux.sync.max.f32", {kMinusZero, 0, kMinusZero, kMinusTwo}), 0u);
}

}  // namespace
}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// Tests the parsing of instructions and function bodies: operands, constants, calls, labels, scopes and source
// locations.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "ptx/parser_test_support.h"

namespace vgpu::ptx {
namespace {

using Kind = Operand::Kind;
using Names = std::vector<std::string>;

std::int64_t immediate(const std::string& text) {
  const Operand operand = operand_of("mov.b64 %rd1, " + text + ";", 1);
  EXPECT_EQ(operand.kind, Kind::kImmediate) << text;
  return static_cast<std::int64_t>(operand.bits);
}

TEST(Instructions, SplitsTheOpcode) {
  const Instruction load =
      instruction_of("@!%p1 ld.global.L1::no_allocate.L2::128B.v4.u32 {%r1, %r2, _, %r3}, [%rd1+-16];");
  EXPECT_EQ(load.opcode, "ld");
  EXPECT_EQ(load.modifiers, (Names{"global", "L1::no_allocate", "L2::128B", "v4", "u32"}));
  EXPECT_TRUE(load.has("L2::128B"));
  EXPECT_FALSE(load.has("L2"));
  EXPECT_EQ(load.guard, "%p1");
  EXPECT_TRUE(load.guard_negated);
  ASSERT_EQ(load.operands.size(), 2u);
  EXPECT_EQ(load.operands[0].kind, Kind::kVector);
  EXPECT_EQ(load.operands[0].elements.at(0).name, "%r1");
  EXPECT_EQ(load.operands[0].elements.at(2).kind, Kind::kSink);
  EXPECT_EQ(load.operands[1].kind, Kind::kAddress);
  EXPECT_EQ(load.operands[1].name, "%rd1");
  EXPECT_EQ(load.operands[1].offset, -16);
}

TEST(Instructions, KeepsTheTextWithSingleBlanks) {
  const Instruction add = instruction_of("@%p1\tadd .s32 %r1, // first\n  %r2,\n\t/* third */ 3 ;");
  EXPECT_EQ(add.text, "@%p1 add .s32 %r1, %r2, 3");
  EXPECT_FALSE(add.guard_negated);
  EXPECT_EQ(add.place.line, 3u);
}

TEST(Instructions, TellsRegistersFromSymbols) {
  EXPECT_EQ(operand_of("mov.u32 %r1, %tid.x;", 1).kind, Kind::kRegister);
  EXPECT_EQ(operand_of("mov.u32 %r1, %tid.x;", 1).name, "%tid.x");
  EXPECT_EQ(operand_of("mov.u32 %r1, %laneid;", 1).name, "%laneid");
  EXPECT_EQ(operand_of("bra.uni $L__BB0_2;", 0).kind, Kind::kSymbol);
  EXPECT_EQ(operand_of("bra.uni $L__BB0_2;", 0).name, "$L__BB0_2");
  const Operand moved = operand_of("mov.u64 %rd1, table+8;", 1);
  EXPECT_EQ(moved.kind, Kind::kSymbol);
  EXPECT_EQ(moved.name, "table");
  EXPECT_EQ(moved.offset, 8);
  EXPECT_EQ(operand_of(".reg .pred p; mov.pred %p1, !p;", 1).kind, Kind::kRegister);
  EXPECT_TRUE(operand_of(".reg .pred p; mov.pred %p1, !p;", 1).negated);
}

TEST(Instructions, ReadsPairsOfDestinations) {
  const Operand shuffled = operand_of("shfl.sync.bfly.b32 %r1|%p1, %r2, 1, 31, -1;", 0);
  EXPECT_EQ(shuffled.name, "%r1");
  EXPECT_EQ(shuffled.second.at(0).name, "%p1");
  const Operand elected = operand_of("elect.sync _|%p2, -1;", 0);
  EXPECT_EQ(elected.kind, Kind::kSink);
  EXPECT_EQ(elected.second.at(0).name, "%p2");
}

TEST(Instructions, ReadsAddresses) {
  EXPECT_EQ(operand_of("ld.param.u32 %r1, [k_param_0];", 1).name, "k_param_0");
  EXPECT_EQ(operand_of("ld.local.u32 %r1, [0x10];", 1).offset, 16);
  EXPECT_EQ(operand_of("ld.local.u32 %r1, [0x10];", 1).name, "");
  EXPECT_EQ(operand_of("ld.shared.u32 %r1, [%r1+2*(3+1)];", 1).offset, 8);
  const Operand tensor = operand_of("cp.async.bulk.prefetch.tensor.2d.L2.global [%rd1, {%r1, 7}];", 0);
  EXPECT_EQ(tensor.name, "%rd1");
  ASSERT_EQ(tensor.elements.size(), 1u);
  EXPECT_EQ(tensor.elements[0].elements.at(1).bits, 7u);
}

TEST(Instructions, ReadsNumbers) {
  EXPECT_EQ(immediate("0"), 0);
  EXPECT_EQ(immediate("-1"), -1);
  EXPECT_EQ(immediate("0x1fU"), 31);
  EXPECT_EQ(immediate("0X1e"), 30);
  EXPECT_EQ(immediate("017"), 15);
  EXPECT_EQ(immediate("0b101"), 5);
  EXPECT_EQ(immediate("10U"), 10);
  EXPECT_EQ(immediate("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(immediate("0xffffffffffffffff"), -1);
  EXPECT_EQ(immediate("0f3F800000"), 0x3f800000);
  EXPECT_EQ(immediate("0F7f800000"), 0x7f800000);
  EXPECT_EQ(immediate("0d3FF0000000000000"), 0x3ff0000000000000);
  EXPECT_EQ(immediate("-0f3F800000"), 0xbf800000);
  const Operand decimal = operand_of("mov.f32 %r1, -1.5e+1;", 1);
  EXPECT_EQ(decimal.kind, Kind::kFloat);
  double value = 0;
  std::memcpy(&value, &decimal.bits, sizeof value);
  EXPECT_EQ(value, -15.0);
}

TEST(Instructions, EvaluatesExpressions) {
  EXPECT_EQ(immediate("2+3*4-1"), 13);
  EXPECT_EQ(immediate("(2+3)*-4"), -20);
  EXPECT_EQ(immediate("(1<<4)|3"), 19);
  EXPECT_EQ(immediate("7/2 % 2^6&~4"), 3);
  EXPECT_EQ(immediate("-8>>1"), -4);
  EXPECT_EQ(immediate("-8>>1U"), -4);
  EXPECT_EQ(immediate("-8U>>1"), 0x7ffffffffffffffc);
  EXPECT_EQ(immediate("~7>>1"), 0x7ffffffffffffffc);
  EXPECT_EQ(immediate("(-8|0)>>1"), -4);
  EXPECT_EQ(immediate("(0U<1)-2>>1"), -1);
  EXPECT_EQ(immediate("0xfffffffffffffff8>>1"), 0x7ffffffffffffffc);
  EXPECT_EQ(immediate("0x1e+4"), 34);
  EXPECT_EQ(immediate("-7 % 4"), 1);
  EXPECT_EQ(immediate("-7/2U"), 0x7ffffffffffffffc);
  EXPECT_EQ(immediate("-7/2"), -3);
  EXPECT_EQ(immediate("(-9223372036854775807-1)/-1"), INT64_MIN);
  EXPECT_EQ(immediate("-1<0"), 1);
  EXPECT_EQ(immediate("0xffffffffffffffff<0U"), 0);
  EXPECT_EQ(immediate("1==1&&2>=3||!5"), 0);
  EXPECT_EQ(immediate("3!=4 ? 10 : 20"), 10);
  EXPECT_EQ(immediate("1<=0 ? 10 : 20"), 20);
  EXPECT_EQ(immediate("WARP_SZ-1"), 31);
  EXPECT_EQ(immediate("!1"), 0);
}

TEST(Instructions, GivesCallsOneForm) {
  const Instruction direct = instruction_of("call.uni (retval0),\n f,\n (\n param0,\n param1\n );");
  EXPECT_EQ(direct.text, "call.uni (retval0), f, ( param0, param1 )");
  ASSERT_EQ(direct.operands.size(), 3u);
  EXPECT_EQ(direct.operands[0].elements.at(0).name, "retval0");
  EXPECT_EQ(direct.operands[1].kind, Kind::kSymbol);
  EXPECT_EQ(direct.operands[1].name, "f");
  EXPECT_EQ(direct.operands[2].elements.at(1).name, "param1");

  const Instruction bare = instruction_of("call f;");
  ASSERT_EQ(bare.operands.size(), 3u);
  EXPECT_EQ(bare.operands[0].kind, Kind::kVector);
  EXPECT_TRUE(bare.operands[0].elements.empty());
  EXPECT_TRUE(bare.operands[2].elements.empty());
  EXPECT_EQ(instruction_of("call f, (param0);").operands[2].elements.size(), 1u);

  const Function indirect = function_of(
      "prototype_0 : .callprototype (.param .b32 _) _ (.param .b64 _);\ncall (retval0), %rd1, (param0), prototype_0;");
  ASSERT_EQ(indirect.body.at(0).operands.size(), 4u);
  EXPECT_EQ(indirect.body[0].operands[1].kind, Kind::kRegister);
  EXPECT_EQ(indirect.body[0].operands[3].name, "prototype_0");
  EXPECT_EQ(indirect.prototypes.at("prototype_0"), "(.param .b32 _) _ (.param .b64 _)");
}

TEST(Instructions, FindsLabelsAndLists) {
  const Function function = function_of(
      "$L__BB0_1: add.s32 %r1, %r1, 1; ts: .branchtargets $L__BB0_1, end; fs: .calltargets f, g; brx.idx %r1, ts; "
      "end:");
  EXPECT_EQ(function.body.size(), 2u);
  EXPECT_EQ(function.labels, (std::map<std::string, std::size_t>{{"$L__BB0_1", 0}, {"end", 2}}));
  EXPECT_EQ(function.branch_targets.at("ts"), (Names{"$L__BB0_1", "end"}));
  EXPECT_EQ(function.branch_targets.at("fs"), (Names{"f", "g"}));
}

TEST(Instructions, KnowsWhereTheyStand) {
  const Function function = function_of(
      "ret;\n.loc 1 35 9\nret;\nret;\n.loc 2 7 3, function_name $L__info_string0+12, inlined_at 1 36 5\n.pragma "
      "\"nounroll\";\nret;");
  ASSERT_EQ(function.body.size(), 4u);
  EXPECT_EQ(function.body[0].place.file, 0u);
  EXPECT_EQ(function.body[2].place.line, 6u);
  EXPECT_EQ(function.body[2].place.file, 1u);
  EXPECT_EQ(function.body[2].place.file_line, 35u);
  EXPECT_EQ(function.body[3].place.file, 2u);
  EXPECT_EQ(function.body[3].place.file_line, 7u);
}

TEST(Scopes, GiveRepeatedNamesTheirOwn) {
  const std::string call =
      "{ .reg .b32 t; .param .b32 param0; mov.b32 t, 1; st.param.b32 [param0+0], t; call f, (param0); }";
  const Function function = function_of(call + call);
  EXPECT_EQ(function.variables.at(0).name, "param0@1");
  EXPECT_EQ(function.variables.at(1).name, "param0@2");
  EXPECT_EQ(function.registers.count("t@1") + function.registers.count("t@2"), 2u);
  ASSERT_EQ(function.body.size(), 6u);
  EXPECT_EQ(function.body[0].operands[0].name, "t@1");
  EXPECT_EQ(function.body[0].operands[0].kind, Kind::kRegister);
  EXPECT_EQ(function.body[3].operands[0].name, "t@2");
  EXPECT_EQ(function.body[4].operands[0].name, "param0@2");
  EXPECT_EQ(function.body[5].operands[2].elements.at(0).name, "param0@2");
  EXPECT_EQ(function.body[5].operands[1].name, "f");
}

TEST(Scopes, ReachIntoOperands) {
  const Function function = function_of(
      "{ .reg .pred q; .reg .b32 a; shfl.sync.idx.b32 a|q, a, 0, 31, -1; .shared .b32 s[2]; mov.b64 {a, _}, s+4; }");
  EXPECT_EQ(function.body.at(0).operands[0].second.at(0).name, "q@1");
  EXPECT_EQ(function.body[0].operands[0].second[0].kind, Kind::kRegister);
  EXPECT_EQ(function.body.at(1).operands[0].elements.at(0).name, "a@1");
  EXPECT_EQ(function.body[1].operands[1].name, "s@1");
  EXPECT_EQ(function.body[1].operands[1].kind, Kind::kSymbol);
}

TEST(Scopes, HideTheNamesAroundThem) {
  const Function function = function_of(
      ".reg .pred p; { .reg .pred p; @p bra L; { @p bra L; @!p bra out; ts: .branchtargets L, out; L: ret; } L: ret; "
      "}\n"
      "@p bra out; out: ret;");
  const auto& body = function.body;
  ASSERT_EQ(body.size(), 7u);
  EXPECT_EQ(body[0].guard, "p@1");
  EXPECT_EQ(body[0].operands[0].name, "L@1");
  EXPECT_EQ(body[1].guard, "p@1");
  EXPECT_EQ(body[1].operands[0].name, "L@2");
  EXPECT_EQ(body[2].operands[0].name, "out");
  EXPECT_EQ(body[5].guard, "p");
  EXPECT_EQ(function.branch_targets.at("ts@2"), (Names{"L@2", "out"}));
  EXPECT_EQ(function.labels, (std::map<std::string, std::size_t>{{"L@1", 4}, {"L@2", 3}, {"out", 6}}));
}

}  // namespace
}  // namespace vgpu::ptx

// SPDX-License-Identifier: Apache-2.0
//
// Tests the parsing of modules: directives, variables and their initial values, functions and scopes.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ptx/parser_test_support.h"

namespace vgpu::ptx {
namespace {

using Names = std::vector<std::string>;
using Values = std::vector<std::uint32_t>;

std::vector<unsigned> bytes_of(const Variable& variable) {
  std::vector<unsigned> bytes;
  for (std::byte byte : variable.initial) bytes.push_back(std::to_integer<unsigned>(byte));
  return bytes;
}

template <class T>
T value_of(const Variable& variable, std::size_t index = 0) {
  T value{};
  EXPECT_LE((index + 1) * sizeof(T), variable.initial.size());
  std::memcpy(&value, variable.initial.data() + index * sizeof(T), sizeof(T));
  return value;
}

Variable variable_of(const std::string& declaration) { return module_of(declaration).variables.at(0); }

TEST(Types, HaveNamesAndSizes) {
  EXPECT_EQ(type_named("bf16x2"), Type::kBF16x2);
  EXPECT_EQ(type_named("u128"), std::nullopt);
  EXPECT_EQ(space_named("shared::cta"), Space::kShared);
  EXPECT_EQ(space_named("param::func"), Space::kParam);
  EXPECT_EQ(space_named("shared::cluster"), std::nullopt);
  EXPECT_EQ(space_named("generic"), std::nullopt);
  for (const auto& [name, bytes] : std::map<std::string, std::size_t>{
           {"pred", 1}, {"b8", 1},     {"b16", 2},  {"b32", 4}, {"b64", 8},   {"b128", 16}, {"u8", 1},  {"u16", 2},
           {"u32", 4},  {"u64", 8},    {"s8", 1},   {"s16", 2}, {"s32", 4},   {"s64", 8},   {"f16", 2}, {"f16x2", 4},
           {"bf16", 2}, {"bf16x2", 4}, {"tf32", 4}, {"f32", 4}, {"f32x2", 8}, {"f64", 8}}) {
    const Type type = type_named(name).value_or(Type::kNone);
    EXPECT_EQ(size_of(type), bytes) << name;
    EXPECT_EQ(is_signed(type), name[0] == 's') << name;
    EXPECT_EQ(is_float(type), name.find('f') != std::string::npos) << name;
  }
  EXPECT_EQ(size_of(Type::kNone), 0u);
}

TEST(Parser, ReadsTheHeadOfAText) {
  const Module module = parse("// generated\n.version 8.7\n.target sm_120a, debug\n.address_size 64\n/* end\n*/");
  EXPECT_EQ(module.version, "8.7");
  EXPECT_EQ(module.target, 120u);
  EXPECT_EQ(module.lines,
            (Names{"// generated", ".version 8.7", ".target sm_120a, debug", ".address_size 64", "/* end", "*/"}));
}

TEST(Parser, IgnoresTheZerosBehindAText) {
  const std::string text = ".version 9.0\n.target sm_75\n";
  const Module module = parse(text + std::string(7, '\0'));
  EXPECT_EQ(module.target, 75u);
  EXPECT_EQ(module.lines.size(), 2u);
}

TEST(Parser, KeepsFilesAndSkipsDebugInformation) {
  const Module module = module_of(
      ".section .debug_str { $L__info: .b8 95,0 \n.b64 .debug_abbrev }\n.section .debug_loc { }\n"
      ".file 1 \"a b.cu\"\n.file 2 \"c.h\", 1700000000, 4711\n.pragma \"x\", \"y\";");
  EXPECT_EQ(module.files, (std::map<std::uint32_t, std::string>{{1, "a b.cu"}, {2, "c.h"}}));
}

TEST(Parser, ReadsDeclarationsOfVariables) {
  const Module module = module_of(
      ".visible .global .align 8 .b8 buffer[3][5];\n.extern .shared .align 16 .b8 dynamic[];\n.const .f64 pi;\n"
      ".global .attribute(.managed) .align 4 .u32 managed = 3;\n.weak .global .v4 .f32 quad;\n.common .global .u16 a, "
      "b[2];\n"
      ".local.s32 touching;");
  ASSERT_EQ(module.variables.size(), 8u);
  const auto& v = module.variables;
  EXPECT_EQ(v[0].name, "buffer");
  EXPECT_EQ(v[0].size, 15u);
  EXPECT_EQ(v[0].alignment, 8u);
  EXPECT_EQ(v[0].space, Space::kGlobal);
  EXPECT_TRUE(v[0].initial.empty());
  EXPECT_TRUE(v[1].is_extern);
  EXPECT_EQ(v[1].space, Space::kShared);
  EXPECT_EQ(v[1].size, 0u);
  EXPECT_EQ(v[2].type, Type::kF64);
  EXPECT_EQ(v[2].alignment, 8u);
  EXPECT_TRUE(v[3].is_managed);
  EXPECT_FALSE(v[2].is_managed);
  EXPECT_EQ(v[4].size, 16u);
  EXPECT_EQ(v[4].alignment, 16u);
  EXPECT_EQ(v[6].name, "b");
  EXPECT_EQ(v[6].size, 4u);
  EXPECT_EQ(v[7].space, Space::kLocal);
}

TEST(Parser, ADefinitionReplacesItsDeclaration) {
  for (const char* text : {".extern .global .u32 x; .visible .global .u32 x = 3;",
                           ".visible .global .u32 x = 3; .extern .global .u32 x;"}) {
    const Module module = module_of(text);
    ASSERT_EQ(module.variables.size(), 1u);
    EXPECT_FALSE(module.variables[0].is_extern);
    EXPECT_EQ(value_of<std::uint32_t>(module.variables[0]), 3u);
  }
}

TEST(Parser, ReadsInitialValues) {
  EXPECT_EQ(bytes_of(variable_of(".global .b8 x[6] = {1, 0x2, 0b11, 04, 255U};")),
            (std::vector<unsigned>{1, 2, 3, 4, 255}));
  EXPECT_EQ(value_of<std::int64_t>(variable_of(".global .u64 x = -1;")), -1);
  EXPECT_EQ(value_of<std::uint64_t>(variable_of(".global .u64 x = 9223372036854775809;")), 9223372036854775809u);
  EXPECT_EQ(value_of<float>(variable_of(".global .f32 x = 0f3FC00000;")), 1.5f);
  EXPECT_EQ(value_of<float>(variable_of(".global .f32 x = 0d3FF8000000000000;")), 1.5f);
  EXPECT_EQ(value_of<double>(variable_of(".const .f64 x = 0d3FF8000000000000;")), 1.5);
  EXPECT_EQ(value_of<std::uint64_t>(variable_of(".const .f64 x = 0f3FC00000;")), 0x3fc00000u);
  EXPECT_EQ(value_of<float>(variable_of(".global .b32 x = 0f3FC00000;")), 1.5f);
  EXPECT_EQ(value_of<double>(variable_of(".global .f64 x[2] = {0.25, -2.5e-1};"), 1), -0.25);
  EXPECT_EQ(value_of<double>(variable_of(".global .v2 .f64 x = {0.25, 1.0e2};"), 1), 100.0);
}

TEST(Parser, PutsNestedInitialValuesInTheirPlaces) {
  const Variable rows = variable_of(".global .u8 x[2][3] = {{1}, {2, 3}};");
  EXPECT_EQ(bytes_of(rows), (std::vector<unsigned>{1, 0, 0, 2, 3}));
  EXPECT_EQ(rows.size, 6u);

  const Variable open = variable_of(".global .u16 x[][2] = {{1, 2}, {}, {3}};");
  EXPECT_EQ(open.size, 12u);
  EXPECT_EQ(value_of<std::uint16_t>(open, 4), 3u);
}

TEST(Parser, ReadsAddressesInInitialValues) {
  const Variable variable = variable_of(".global .u64 x[4] = {7, name, generic(other)+16, generic($str)};");
  EXPECT_EQ(value_of<std::uint64_t>(variable), 7u);
  EXPECT_EQ(variable.initial.size(), 32u);
  ASSERT_EQ(variable.relocations.size(), 3u);
  EXPECT_EQ(variable.relocations[0].symbol, "name");
  EXPECT_EQ(variable.relocations[0].offset, 8u);
  EXPECT_EQ(variable.relocations[0].size, 8u);
  EXPECT_FALSE(variable.relocations[0].generic);
  EXPECT_EQ(variable.relocations[1].symbol, "other");
  EXPECT_EQ(variable.relocations[1].addend, 16);
  EXPECT_TRUE(variable.relocations[1].generic);
  EXPECT_EQ(variable.relocations[2].symbol, "$str");
  EXPECT_EQ(variable_of(".global .u32 x = name;").relocations.at(0).size, 4u);
}

TEST(Parser, JoinsTheBytesOfAnAddress) {
  std::string bytes = "97, 0XFF(generic(t))";
  for (const char* mask : {"0xFF00", "0xFF0000", "0xFF000000", "0xFF00000000", "0xFF0000000000", "0xFF000000000000",
                           "0xFF00000000000000"}) {
    bytes += std::string(", ") + mask + "(generic(t))";
  }
  const Variable variable = variable_of(".global .u8 x[13] = {" + bytes + ", 5, 0xff(s), 0xff00(s)};");
  EXPECT_EQ(bytes_of(variable), (std::vector<unsigned>{97, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0}));
  ASSERT_EQ(variable.relocations.size(), 2u);
  EXPECT_EQ(variable.relocations[0].offset, 1u);
  EXPECT_EQ(variable.relocations[0].size, 8u);
  EXPECT_TRUE(variable.relocations[0].generic);
  EXPECT_EQ(variable.relocations[1].symbol, "s");
  EXPECT_EQ(variable.relocations[1].offset, 10u);
  EXPECT_EQ(variable.relocations[1].size, 2u);
}

TEST(Parser, ReadsAKernelWithItsDirectives) {
  const Module module = module_of(
      ".visible .entry kernel(\n.param .u64 .ptr .global .align 16 kernel_param_0,\n.param .u64 .ptr .align 1 "
      "kernel_param_1,\n"
      ".param .align 8 .b8 kernel_param_2[24]\n)\n.maxntid 256, 1, 1\n.minnctapersm 2\n.maxnreg 64\n.explicitcluster\n"
      ".reqnctapercluster 2, 1, 1\n{ ret; }");
  const Function& kernel = module.functions.at("kernel");
  EXPECT_TRUE(kernel.is_entry);
  EXPECT_FALSE(kernel.is_declaration);
  ASSERT_EQ(kernel.parameters.size(), 3u);
  EXPECT_EQ(kernel.parameters[0].name, "kernel_param_0");
  EXPECT_EQ(kernel.parameters[0].alignment, 8u);  // the pointee, not the pointer, is aligned to 16
  EXPECT_EQ(kernel.parameters[2].size, 24u);
  EXPECT_EQ(kernel.parameters[2].space, Space::kParam);
  EXPECT_EQ(kernel.directives.at("maxntid"), (Values{256, 1, 1}));
  EXPECT_EQ(kernel.directives.at("maxnreg"), (Values{64}));
  EXPECT_EQ(kernel.directives.at("explicitcluster"), Values{});
  EXPECT_EQ(kernel.directives.at("reqnctapercluster"), (Values{2, 1, 1}));
  ASSERT_EQ(kernel.body.size(), 1u);
  EXPECT_EQ(kernel.body[0].opcode, "ret");
}

TEST(Parser, ReadsFunctionsDeclaredBeforeAndBehindTheirBody) {
  const Module module = module_of(
      ".func (.param .b32 result) f(.param .b64 a);\n.func .attribute(.unified(1, 2)) (.param .b32 result) f(.param "
      ".b64 a) { ret; }\n"
      ".func (.param .b32 result) f(.param .b64 a);\n.extern .func g() .noreturn ;\n.weak .func h;\n.func k() .pragma "
      "\"p\"; { }\n"
      ".alias h, f;");
  const Function& f = module.functions.at("f");
  EXPECT_FALSE(f.is_entry);
  EXPECT_FALSE(f.is_declaration);
  EXPECT_EQ(f.results.at(0).name, "result");
  EXPECT_EQ(f.parameters.at(0).size, 8u);
  EXPECT_TRUE(module.functions.at("g").is_declaration);
  EXPECT_EQ(module.functions.at("g").directives.count("noreturn"), 1u);
  EXPECT_EQ(module.functions.at("h").name, "h");
  EXPECT_EQ(module.functions.at("h").body.size(), 1u);
}

TEST(Parser, DeclaresRegistersOfBothKinds) {
  const Function function = function_of(".reg .f32 a, %f<3>; .reg .b64 %SP;");
  EXPECT_EQ(function.registers.at("a"), Type::kF32);
  EXPECT_EQ(function.registers.at("%f0"), Type::kF32);
  EXPECT_EQ(function.registers.at("%f2"), Type::kF32);
  EXPECT_EQ(function.registers.count("%f3"), 0u);
  EXPECT_EQ(function.registers.at("%SP"), Type::kB64);
  EXPECT_EQ(function.registers.at("%p1"), Type::kPred);
}

}  // namespace
}  // namespace vgpu::ptx

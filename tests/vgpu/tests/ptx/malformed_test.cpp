// SPDX-License-Identifier: Apache-2.0
//
// Tests invalid PTX, each text with the expected message.
#include <gtest/gtest.h>

#include <string>

#include "ptx/parser_test_support.h"

namespace vgpu::ptx {
namespace {

std::string message_of(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

const std::string kHead = ".version 9.0 .target sm_90 .address_size 64\n";

TEST(Malformed, TextSaysWhatWasExpected) {
  EXPECT_EQ(message_of(""), "PTX line 1: expected '.version', got the end of the text");
  EXPECT_EQ(message_of("\n\nint main() {}"), "PTX line 3: expected '.version', got 'int'");
  EXPECT_EQ(message_of(".version 9.0\n.target compute_90"), "PTX line 2: expected sm_..., got 'compute_90'");
  EXPECT_EQ(message_of(".version 9.0\n.address_size 32"), "PTX line 2: expected addresses of 64 bits, got '32'");
  EXPECT_EQ(message_of(kHead + "/* open"), "PTX line 2: expected the end of a comment, got the end of the text");
  EXPECT_EQ(message_of(kHead + ".file 1 \"open"), "PTX line 2: expected the end of a string, got the end of the text");
  EXPECT_EQ(message_of(kHead + ".section .debug { {\n}"), "PTX line 3: expected '}', got the end of the text");
  EXPECT_EQ(message_of(kHead + ".texref t;"), "PTX line 2: expected a variable or a function, got '.texref'");
  EXPECT_EQ(message_of(kHead + ".alias a, b;"), "PTX line 2: expected a function of this module, got 'b'");
}

TEST(Malformed, VariableSaysWhatWasExpected) {
  const auto message = [](const std::string& declaration) { return message_of(kHead + declaration); };
  EXPECT_EQ(message(".global .u24 x;"), "PTX line 2: expected a type, got '.u24'");
  EXPECT_EQ(message(".global .u32 7;"), "PTX line 2: expected the name of a variable, got '7'");
  EXPECT_EQ(message(".global .align 3 .u32 x;"), "PTX line 2: expected an alignment that is a power of two, got 3");
  EXPECT_EQ(message(".global .u32 x[2;"), "PTX line 2: expected ']', got ';'");
  EXPECT_EQ(message(".global .u32 x[2][];"), "PTX line 2: expected a number, got ']'");
  EXPECT_EQ(message(".global .u32 x[-1];"), "PTX line 2: expected a number of elements from 0 to 4294967296, got '-'");
  EXPECT_EQ(message(".global .u32 x[4000000000];"), "PTX line 2: expected a variable that fits in memory, got 'x'");
  EXPECT_EQ(message(".global .u32 x\n.global .u32 y;"), "PTX line 3: expected ';', got '.global'");
  EXPECT_EQ(message(".global .u32 x; .global .u32 x;"), "PTX line 2: expected one definition of 'x', got a second");
  EXPECT_EQ(message(".global .u32 x[2] = {1, 2, 3};"), "PTX line 2: expected no more than 2 initial values, got '3'");
  EXPECT_EQ(message(".global .u32 x[2][2] = {{1}, 2};"), "PTX line 2: expected '{', got '2'");
  EXPECT_EQ(message(".global .u32 x = 1.5;"), "PTX line 2: expected an integer, got a floating-point number");
  EXPECT_EQ(message(".global .f32 x = 1;"), "PTX line 2: expected a floating-point number, got an integer");
  EXPECT_EQ(message(".global .u32 x = 99999999999999999999;"),
            "PTX line 2: expected a number of at most 64 bits, got '99999999999999999999'");
  EXPECT_EQ(message(".global .u32 x = 0b12;"), "PTX line 2: expected a number of at most 64 bits, got '0b12'");
  EXPECT_EQ(message(".global .f32 x = 0f3F80;"), "PTX line 2: expected 8 hexadecimal digits, got '0f3F80'");
  EXPECT_EQ(message(".global .f32 x = 1.5.2;"), "PTX line 2: expected a number, got '1.5.2'");
  const std::string misplaced = "PTX line 2: expected the bytes of an address in sequence, got another byte";
  EXPECT_EQ(message(".global .u8 x[4] = {0xff(a), 0xff0000(a)};"), misplaced);
  EXPECT_EQ(message(".global .u8 x[4] = {0xff(a), 0xff00(b)};"), misplaced);
  EXPECT_EQ(message(".global .u8 x[4] = {0xff(a), 0, 0xff00(a)};"), misplaced);
  EXPECT_EQ(message(".global .u32 x = 0xff(a);"), misplaced);
}

TEST(Malformed, FunctionSaysWhatWasExpected) {
  const auto message = [](const std::string& declaration) { return message_of(kHead + declaration); };
  EXPECT_EQ(message(".entry (.param .u32 x) { }"), "PTX line 2: expected the name of a function, got '('");
  EXPECT_EQ(message(".entry k(.reg .u32 x) { }"), "PTX line 2: expected '.param', got '.reg'");
  EXPECT_EQ(message(".entry k(.param .u32 x { }"), "PTX line 2: expected ')', got '{'");
  EXPECT_EQ(message(".entry k() ret;"), "PTX line 2: expected a directive, '{' or ';', got 'ret'");
  EXPECT_EQ(message(".entry k() { } .entry k() { }"), "PTX line 2: expected one body of 'k', got a second");
  EXPECT_EQ(message(".entry k() {\n ret;\n"), "PTX line 4: expected an instruction, got the end of the text");
  EXPECT_EQ(message(".func .attribute(.unified(1 f()"), "PTX line 2: expected ')', got the end of the text");
}

TEST(Malformed, StatementSaysWhatWasExpected) {
  const auto message = [](const std::string& statements) {
    return message_of(kHead + ".entry k() {\n" + statements + " }");
  };
  EXPECT_EQ(message("add.s32 %r1, %r2"), "PTX line 3: expected ';', got '}'");
  EXPECT_EQ(message("add.s32 %r1 %r2;"), "PTX line 3: expected ';', got '%r2'");
  EXPECT_EQ(message("ld.u32 %r1, [%rd1;"), "PTX line 3: expected ']', got ';'");
  EXPECT_EQ(message("ld.u32 %r1, [%rd1+1.5];"), "PTX line 3: expected an integer, got '1.5'");
  EXPECT_EQ(message("mov.b32 %r1, ;"), "PTX line 3: expected a number, got ';'");
  EXPECT_EQ(message("mov.b32 %r1, 1/0;"), "PTX line 3: expected a divisor, got 0");
  EXPECT_EQ(message("mov.b32 %r1, 1<<64;"), "PTX line 3: expected a shift by less than 64, got 64");
  EXPECT_EQ(message("mov.b32 %r1, 1+1.5;"), "PTX line 3: expected integers around '+', got a floating-point number");
  EXPECT_EQ(message("mov.b32 %r1, ~1.5;"), "PTX line 3: expected an integer, got '1.5'");
  EXPECT_EQ(message("mov.b32 %, 1;"), "PTX line 3: expected a number, got '%'");
  EXPECT_EQ(message("ret;\n;"), "PTX line 4: expected an instruction, got ';'");
  EXPECT_EQ(message("@ ret;"), "PTX line 3: expected an instruction, got ';'");
  EXPECT_EQ(message("@%p1 L: ret;"), "PTX line 3: expected a number, got ':'");
  EXPECT_EQ(message("call (a) f;"), "PTX line 3: expected ',', got 'f'");
  EXPECT_EQ(message("L: ret; L: ret;"), "PTX line 3: expected a label that is not declared yet, got 'L'");
  EXPECT_EQ(message(".reg .b32 %r<3>;\n.reg .b64 %r2;"),
            "PTX line 4: expected a register that is not declared yet, got '%r2'");
  EXPECT_EQ(message(".reg .v4 .b32 v;"), "PTX line 3: expected the type of a register, got '.v4'");
  EXPECT_EQ(message(".unknown;"), "PTX line 3: expected a directive or an instruction, got '.unknown'");
  EXPECT_EQ(message(".loc 1 2;"), "PTX line 3: expected a number, got ';'");
}

TEST(Malformed, EveryUnfinishedDeclarationIsRefused) {
  for (const std::string declaration :
       {".visible .global .align 8 .u64 x[2] = {generic(y)+8, 0x10};",
        ".func (.param .b32 r) f(.param .b64 a) .noreturn;",
        ".entry k(.param .align 8 .b8 p[16]) .maxntid 32, 1, 1 { .reg .b32 %r<3>; .loc 1 2 3\n"
        "L: @!%p1 ld.v2.u32 {%r1, _}, [%rd1+-4]; { call (r), f, (a); } .pragma \"p\"; bra L; }"}) {
    EXPECT_EQ(message_of(kHead + declaration), "none");
    for (std::size_t length = 1; length < declaration.size(); ++length) {
      const std::string text = kHead + declaration.substr(0, length);
      EXPECT_EQ(message_of(text).rfind("PTX line ", 0), 0u) << text;
    }
  }
}

}  // namespace
}  // namespace vgpu::ptx

// SPDX-License-Identifier: Apache-2.0
#include "ptx/constant.h"

#include <array>
#include <string>
#include <type_traits>

namespace vgpu::ptx {

namespace {

using Kind = Constant::Kind;

struct Operator {
  enum class Result : std::uint8_t {
    kUsual,     // the result is unsigned if one of the operands is
    kUnsigned,  // unsigned, regardless of the operands
    kLeft,      // the type of the left operand
    kTruth,     // 0 or 1, as an integer
  };
  std::string_view text;
  int level;  // operators of a higher level bind tighter
  Result result;
};

using Result = Operator::Result;
constexpr int kLevels = 10;
constexpr std::array<Operator, 18> kOperators = {{
    {"||", 0, Result::kTruth},
    {"&&", 1, Result::kTruth},
    {"|", 2, Result::kUsual},
    {"^", 3, Result::kUsual},
    {"&", 4, Result::kUsual},
    {"==", 5, Result::kTruth},
    {"!=", 5, Result::kTruth},
    {"<", 6, Result::kTruth},
    {"<=", 6, Result::kTruth},
    {">", 6, Result::kTruth},
    {">=", 6, Result::kTruth},
    {"<<", 7, Result::kLeft},
    {">>", 7, Result::kLeft},
    {"+", 8, Result::kUsual},
    {"-", 8, Result::kUsual},
    {"*", 9, Result::kUsual},
    {"/", 9, Result::kUsual},
    {"%", 9, Result::kUnsigned},
}};

// Returns null if the token is not an operator of this level.
const Operator* operator_of(const Token& token, int level) {
  for (const Operator& op : kOperators) {
    if (op.level == level && token.is(op.text)) return &op;
  }
  return nullptr;
}

// T is signed or unsigned, which matters for division, right shift and comparison.
template <class T>
std::uint64_t compute(const Token& op, std::uint64_t left, std::uint64_t right) {
  const T a = static_cast<T>(left);
  const T b = static_cast<T>(right);
  if (op.is("+")) return left + right;
  if (op.is("-")) return left - right;
  if (op.is("*")) return left * right;
  if (op.is("|")) return left | right;
  if (op.is("^")) return left ^ right;
  if (op.is("&")) return left & right;
  if (op.is("||")) return left != 0 || right != 0;
  if (op.is("&&")) return left != 0 && right != 0;
  if (op.is("==")) return left == right;
  if (op.is("!=")) return left != right;
  if (op.is("<")) return a < b;
  if (op.is("<=")) return a <= b;
  if (op.is(">")) return a > b;
  if (op.is(">=")) return a >= b;
  if (op.is("<<") || op.is(">>")) {
    if (right > 63) fail(op.line, "expected a shift by less than 64, got " + std::to_string(right));
    return op.is("<<") ? left << right : static_cast<std::uint64_t>(a >> b);
  }
  if (right == 0) fail(op.line, "expected a divisor, got 0");
  const bool negates = std::is_signed_v<T> && b == static_cast<T>(-1);  // the smallest integer divided by -1 would trap
  if (negates) return op.is("/") ? 0 - left : 0;
  return static_cast<std::uint64_t>(op.is("/") ? a / b : a % b);
}

Constant combined(const Token& token, const Operator& op, const Constant& left, const Constant& right) {
  if (!left.is_integer() || !right.is_integer()) {
    fail(token.line, "expected integers around '" + std::string(op.text) + "', got a floating-point number");
  }
  const bool is_usual = op.result != Result::kLeft && right.kind == Kind::kUnsigned;
  const bool is_unsigned = left.kind == Kind::kUnsigned || is_usual || op.result == Result::kUnsigned;
  const std::uint64_t bits = is_unsigned ? compute<std::uint64_t>(token, left.bits, right.bits)
                                         : compute<std::int64_t>(token, left.bits, right.bits);
  return {is_unsigned && op.result != Result::kTruth ? Kind::kUnsigned : Kind::kSigned, bits};
}

Constant negated(const Constant& constant) {
  switch (constant.kind) {
    case Kind::kSingle:
      return {constant.kind, constant.bits ^ std::uint64_t{1} << 31};
    case Kind::kDouble:
    case Kind::kDecimal:
      return {constant.kind, constant.bits ^ std::uint64_t{1} << 63};
    default:
      return {constant.kind, 0 - constant.bits};
  }
}

Constant parse_unary(Lexer& lexer);

// Parses the operand of an operator that is not defined for floating-point numbers.
std::uint64_t parse_unary_integer(Lexer& lexer) {
  const Token first = lexer.peek();
  const Constant constant = parse_unary(lexer);
  if (!constant.is_integer()) fail(first.line, "expected an integer, got '" + std::string(first.text) + "'");
  return constant.bits;
}

Constant parse_unary(Lexer& lexer) {
  if (lexer.accept("-")) return negated(parse_unary(lexer));
  if (lexer.accept("+")) return parse_unary(lexer);
  if (lexer.accept("~")) return {Kind::kUnsigned, ~parse_unary_integer(lexer)};
  if (lexer.accept("!")) return {Kind::kSigned, parse_unary_integer(lexer) == 0};
  if (lexer.accept("WARP_SZ")) return {Kind::kSigned, 32};
  if (lexer.accept("(")) {
    const Constant inner = parse_constant(lexer);
    lexer.expect(")");
    return inner;
  }
  return number_of(lexer.expect(Token::Kind::kNumber, "a number"));
}

Constant parse_binary(Lexer& lexer, int level) {
  if (level == kLevels) return parse_unary(lexer);
  Constant left = parse_binary(lexer, level + 1);
  while (const Operator* op = operator_of(lexer.peek(), level)) {
    const Token token = lexer.take();
    left = combined(token, *op, left, parse_binary(lexer, level + 1));
  }
  return left;
}

}  // namespace

Constant parse_constant(Lexer& lexer) {
  const Constant condition = parse_binary(lexer, 0);
  if (!lexer.accept("?")) return condition;
  const Constant chosen = parse_constant(lexer);
  lexer.expect(":");
  const Constant other = parse_constant(lexer);
  return condition.bits != 0 ? chosen : other;
}

std::int64_t parse_integer(Lexer& lexer) {
  const Token first = lexer.peek();
  const Constant constant = parse_constant(lexer);
  if (!constant.is_integer()) fail(first.line, "expected an integer, got '" + std::string(first.text) + "'");
  return static_cast<std::int64_t>(constant.bits);
}

std::uint64_t parse_count(Lexer& lexer, const char* what, std::uint64_t most) {
  const Token first = lexer.peek();
  const std::uint64_t count = parse_unary_integer(lexer);  // in "%r<17>" the '>' is not an operator
  if (count > most) {
    fail(first.line, std::string("expected ") + what + " from 0 to " + std::to_string(most) + ", got '" +
                         std::string(first.text) + "'");
  }
  return count;
}

}  // namespace vgpu::ptx

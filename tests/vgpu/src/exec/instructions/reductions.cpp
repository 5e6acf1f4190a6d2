// SPDX-License-Identifier: Apache-2.0
//
// redux.sync and elect.sync: one value, or one lane, for all members of a mask.
#include <cmath>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/integer_arithmetic.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Type;

struct And {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a & b; }
};
struct Or {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a | b; }
};
struct Xor {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a ^ b; }
};

// Operands: result, value, member mask.
template <class T, class F>
void run_redux(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  const T* values = warp.lanes<T>(code.operands[1]);
  std::array<T, kLanes> result{};
  for_each_group(warp, code.operands[2], [&](Mask group, Mask) {
    T sum = values[__builtin_ctz(group)];
    for_each_lane(group & (group - 1), [&](unsigned lane) { sum = F{}(sum, values[lane]); });
    for_each_lane(group, [&](unsigned lane) { result[lane] = sum; });
  });
  for_each_lane(warp.active(), [&](unsigned lane) { warp.lanes<T>(code.operands[0])[lane] = result[lane]; });
}

Handler integer_redux(const std::string& operation, Type type) {
  if (type == Type::kB32) {
    if (operation == "and") return run_redux<std::uint32_t, And>;
    if (operation == "or") return run_redux<std::uint32_t, Or>;
    return operation == "xor" ? run_redux<std::uint32_t, Xor> : nullptr;
  }
  const bool is_signed = type == Type::kS32;
  if (!is_signed && type != Type::kU32) return nullptr;
  if (operation == "add") return run_redux<std::uint32_t, Add>;
  if (operation == "min") return is_signed ? run_redux<std::int32_t, Min> : run_redux<std::uint32_t, Min>;
  if (operation == "max") return is_signed ? run_redux<std::int32_t, Max> : run_redux<std::uint32_t, Max>;
  return nullptr;
}

enum Flag : std::uint8_t { kMax = 1, kAbsolute = 2, kKeepsNan = 4 };

// -0 compares less than +0. A NaN is ignored if the other value is a number, unless .NaN is given, which propagates it.
float extreme(float a, float b, std::uint8_t flags) {
  if (std::isnan(a) || std::isnan(b)) {
    if ((flags & kKeepsNan) != 0) return canonical_nan<float>();
    return std::isnan(a) ? b : a;
  }
  const bool less = a < b || (a == b && std::signbit(a));
  return less == ((flags & kMax) == 0) ? a : b;
}

void run_float_redux(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  std::array<float, kLanes> values;
  std::memcpy(values.data(), warp.lanes<float>(code.operands[1]), sizeof values);
  for (float& value : values) {
    if ((code.flags & kAbsolute) != 0) value = std::fabs(value);
    value = canonical(value);
  }
  float* out = warp.lanes<float>(code.operands[0]);
  for_each_group(warp, code.operands[2], [&](Mask group, Mask) {
    float result = values[static_cast<std::size_t>(__builtin_ctz(group))];
    for_each_lane(group, [&](unsigned lane) { result = extreme(result, values[lane], code.flags); });
    for_each_lane(group, [&](unsigned lane) { out[lane] = result; });
  });
}

void decode_redux(Decoder& d) {
  if (!d.take("sync")) d.unknown();
  const std::string operation = d.take_word();
  Code& code = d.code();
  if (d.take("abs")) code.flags |= kAbsolute;
  if (d.take("NaN")) code.flags |= kKeepsNan;
  const Type type = d.take_type();
  code.operands[0] = d.output(0, Type::kB32);
  code.operands[1] = d.input(1, Type::kB32);
  code.operands[2] = d.input(2, Type::kB32);
  if (type == Type::kF32 && (operation == "min" || operation == "max")) {
    if (operation == "max") code.flags |= kMax;
    set_handler(d, Pipe::kAlu, run_float_redux);
  } else {
    set_handler(d, Pipe::kAlu, code.flags == 0 ? integer_redux(operation, type) : nullptr);
  }
}

// Operands: the leader's lane number, member mask, predicate that is true in the leader only.
void run_elect(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[1])) return;
  std::array<std::uint32_t, kLanes> leaders{};
  Mask elected = 0;
  for_each_group(warp, code.operands[1], [&](Mask group, Mask) {
    elected |= group & (~group + 1);
    for_each_lane(group, [&](unsigned lane) { leaders[lane] = static_cast<std::uint32_t>(__builtin_ctz(group)); });
  });
  for_each_lane(warp.active(),
                [&](unsigned lane) { warp.lanes<std::uint32_t>(code.operands[0])[lane] = leaders[lane]; });
  set_predicate(warp, code.operands[2], elected);
}

void decode_elect(Decoder& d) {
  if (!d.take("sync")) d.unknown();
  Code& code = d.code();
  code.operands[0] = d.output(0, Type::kB32);
  code.operands[1] = d.input(1, Type::kB32);
  const auto& second = d.operand(0).second;
  if (second.empty()) d.unknown("expected a predicate for the leader");
  code.operands[2] = d.predicate_output(second[0]);
  set_handler(d, Pipe::kAlu, run_elect);
}

}  // namespace

void add_reductions(InstructionTable& table) {
  table["redux"] = decode_redux;
  table["elect"] = decode_elect;
}

}  // namespace vgpu

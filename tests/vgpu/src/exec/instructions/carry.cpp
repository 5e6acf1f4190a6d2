// SPDX-License-Identifier: Apache-2.0
//
// Extended-precision integer arithmetic: add.cc, sub.cc and mad.cc write the carry flag; addc, subc and madc read it.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/integer_arithmetic.h"

namespace vgpu {
namespace {

using ptx::Type;

enum Flag : std::uint8_t { kTakes = 1, kLeaves = 2 };

// Each functor sets `out` and returns the carry-out. A subtraction adds the complement and the carry-in, as GPUs do, so
// a carry-out of 0 means that it borrowed.
struct AddCarry {
  template <class T>
  bool operator()(T a, T b, T, bool carry, T& out) const {
    using U = std::make_unsigned_t<T>;
    U sum = 0;
    const bool first = __builtin_add_overflow(static_cast<U>(a), static_cast<U>(b), &sum);
    const bool second = __builtin_add_overflow(sum, static_cast<U>(carry), &sum);
    out = static_cast<T>(sum);
    return first || second;
  }
};

struct SubCarry {
  template <class T>
  bool operator()(T a, T b, T, bool carry, T& out) const {
    return AddCarry{}(a, static_cast<T>(~b), T{0}, carry, out);
  }
};

template <class Product>
struct MulAddCarry {
  template <class T>
  bool operator()(T a, T b, T c, bool carry, T& out) const {
    return AddCarry{}(Product{}(a, b), c, T{0}, carry, out);
  }
};

// Operands: destination, a, b, c (mad only), carry flag.
template <class F, class T>
void run_with_carry(Warp& warp, const Code& code) {
  const T* a = warp.lanes<T>(code.operands[1]);
  const T* b = warp.lanes<T>(code.operands[2]);
  const T* c = warp.lanes<T>(code.operands[3]);
  T* out = warp.lanes<T>(code.operands[0]);
  const Mask otherwise = std::is_same_v<F, SubCarry> ? kAllLanes : 0;
  const Mask in = (code.flags & kTakes) != 0 ? warp.predicate(code.operands[4]) : otherwise;
  Mask carries = 0;
  for_each_lane(warp.active(), [&](unsigned lane) {
    carries |= Mask{F{}(a[lane], b[lane], c[lane], (in >> lane & 1) != 0, out[lane])} << lane;
  });
  if ((code.flags & kLeaves) != 0) set_predicate(warp, code.operands[4], carries);
}

template <class F>
struct WithCarry {
  template <class T>
  Handler operator()(T) const {
    return run_with_carry<F, T>;
  }
};

template <class F>
Handler handler_for(Type type) {
  return ptx::size_of(type) < 4 ? nullptr : for_integers(type, WithCarry<F>{});
}

void decode(Decoder& d, bool takes) {
  const std::string& opcode = d.instruction().opcode;
  const bool multiplies = opcode == "mad" || opcode == "madc";
  const std::string part = multiplies ? d.take_word() : "";
  Code& code = d.code();
  if (takes) code.flags |= kTakes;
  if (d.take("cc")) code.flags |= kLeaves;
  const Type type = d.take_type();
  if (multiplies) {
    take_operands(d, type, {type, type, type});
  } else {
    take_operands(d, type, {type, type});
    code.operands[3] = code.operands[2];
  }
  code.operands[4] = d.builder().carry_flag();
  Handler handler = nullptr;
  if (part == "lo") handler = handler_for<MulAddCarry<MulLow>>(type);
  if (part == "hi") handler = handler_for<MulAddCarry<MulHigh>>(type);
  if (opcode == "add" || opcode == "addc") handler = handler_for<AddCarry>(type);
  if (opcode == "sub" || opcode == "subc") handler = handler_for<SubCarry>(type);
  set_handler(d, multiplies ? Pipe::kFma : Pipe::kAlu, handler);
}

void decode_carry_in(Decoder& d) { decode(d, true); }

}  // namespace

void decode_with_carry(Decoder& d) { decode(d, false); }

void add_carries(InstructionTable& table) {
  table["addc"] = decode_carry_in;
  table["subc"] = decode_carry_in;
  table["madc"] = decode_carry_in;
}

}  // namespace vgpu

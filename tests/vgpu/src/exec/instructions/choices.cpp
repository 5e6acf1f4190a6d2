// SPDX-License-Identifier: Apache-2.0
//
// selp and slct: instructions that select one of two values.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/float_rules.h"

namespace vgpu {
namespace {

using ptx::Type;

// ---- selp -----------------------------------------------------------------------------------------------------------

template <class T>
void run_selp(Warp& warp, const Code& code) {
  Mask which = warp.predicate(code.operands[3]);
  if (code.flags != 0) which = ~which;
  const T* a = warp.lanes<T>(code.operands[1]);
  const T* b = warp.lanes<T>(code.operands[2]);
  T* out = warp.lanes<T>(code.operands[0]);
  const Mask active = warp.active();
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    const T chosen = (which & kLaneBits[lane]) != 0 ? a[lane] : b[lane];
    out[lane] = (active & kLaneBits[lane]) != 0 ? chosen : out[lane];
  }
}

void decode_selp(Decoder& d) {
  const Type type = d.take_type();
  if (d.operand_count() != 4) d.unknown();
  Code& code = d.code();
  code.operands[0] = d.output(0, type);
  code.operands[1] = d.input(1, type);
  code.operands[2] = d.input(2, type);
  bool negated = false;
  code.operands[3] = d.predicate_input(d.operand(3), &negated);
  code.flags = negated ? 1 : 0;
  set_handler(d, Pipe::kAlu,
              for_size(ptx::size_of(type), [](auto value) -> Handler { return run_selp<decltype(value)>; }));
}

// ---- slct: a where c >= 0, else b -----------------------------------------------------------------------------------

struct BySign {
  template <class T>
  T operator()(T a, T b, std::int32_t c) const {
    return c >= 0 ? a : b;
  }
};

template <bool flushes>
struct ByFloat {
  template <class T>
  T operator()(T a, T b, std::uint32_t c) const {
    const auto value = bits_as<float>(c);
    return (flushes ? flushed(value) : value) >= 0 ? a : b;
  }
};

template <class F, class C>
Handler slct_handler(std::size_t size) {
  return for_size(size, [](auto value) -> Handler {
    using T = decltype(value);
    return map_handler<F, T, T, T, C>;
  });
}

void decode_slct(Decoder& d) {
  const bool flushes = d.take("ftz");
  const Type type = d.take_type();
  const Type selector = d.take_type();
  take_operands(d, type, {type, type, selector});
  const std::size_t size = ptx::size_of(type);
  Handler handler = nullptr;
  if (selector == Type::kS32 && !flushes) handler = slct_handler<BySign, std::int32_t>(size);
  if (selector == Type::kF32)
    handler =
        flushes ? slct_handler<ByFloat<true>, std::uint32_t>(size) : slct_handler<ByFloat<false>, std::uint32_t>(size);
  set_handler(d, Pipe::kAlu, handler);
}

}  // namespace

void add_choices(InstructionTable& table) {
  table["selp"] = decode_selp;
  table["slct"] = decode_slct;
}

}  // namespace vgpu

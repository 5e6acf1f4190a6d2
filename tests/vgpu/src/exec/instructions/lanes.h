// SPDX-License-Identifier: Apache-2.0
//
// Loops over the lanes of a warp. A result is computed for all lanes and stored for the active ones only, so that the
// common case, in which all lanes are active, is a plain loop that compilers vectorise. `f` must therefore be safe for
// any value.
#pragma once

#include <array>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "exec/decode.h"
#include "exec/warp.h"

namespace vgpu {

// The bits of a Mask in a form that loops over lanes can load, because a shift by the lane number cannot be vectorised
// on every host.
constexpr std::array<Mask, kLanes> kLaneBits = [] {
  std::array<Mask, kLanes> bits{};
  for (unsigned lane = 0; lane < kLanes; ++lane) bits[lane] = Mask{1} << lane;
  return bits;
}();

// Computes operands[0] = f(operands[1], ...) lane by lane; In... are the types of the inputs.
template <class Out, class... In, class F, std::size_t... I>
void map_lanes(Warp& warp, const Code& code, F f, std::index_sequence<I...>) {
  Out* out = warp.lanes<Out>(code.operands[0]);
  const std::tuple<const In*...> in{warp.lanes<In>(code.operands[I + 1])...};
  // The results are kept apart from the registers, so that the compiler need not consider whether the destination is
  // also an operand.
  alignas(64) Out result[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) result[lane] = f(std::get<I>(in)[lane]...);
  const Mask active = warp.active();
  if (active == kAllLanes) {
    std::memcpy(out, result, sizeof result);
    return;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane) out[lane] = (active & kLaneBits[lane]) != 0 ? result[lane] : out[lane];
}

template <class Out, class... In, class F>
void map_lanes(Warp& warp, const Code& code, F f) {
  map_lanes<Out, In...>(warp, code, f, std::index_sequence_for<In...>{});
}

// Makes a handler from a stateless function object Out F(In...).
template <class F, class Out, class... In>
void map_handler(Warp& warp, const Code& code) {
  map_lanes<Out, In...>(warp, code, F{});
}

// Makes a Mask from bytes that are 0 or 1. The multiplication moves byte i of eight to bit 56 + i.
inline Mask mask_of(const std::uint8_t (&truths)[kLanes]) {
  Mask mask = 0;
  for (unsigned first = 0; first < kLanes; first += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, truths + first, sizeof eight);
    mask |= static_cast<Mask>(eight * 0x0102040810204080u >> 56) << first;
  }
  return mask;
}

// Returns the lanes for which f(operands[first], operands[first + 1]) is true; inactive lanes are ignored.
template <class In, class F>
Mask test_lanes(Warp& warp, Slot a, Slot b, F f) {
  const In* x = warp.lanes<In>(a);
  const In* y = warp.lanes<In>(b);
  alignas(64) std::uint8_t truths[kLanes];
  for (unsigned lane = 0; lane < kLanes; ++lane) truths[lane] = f(x[lane], y[lane]) ? 1 : 0;
  return mask_of(truths) & warp.active();
}

template <class F>
void for_each_lane(Mask lanes, F f) {
  for (; lanes != 0; lanes &= lanes - 1) f(static_cast<unsigned>(__builtin_ctz(lanes)));
}

// Sets the active lanes of a predicate.
inline void set_predicate(Warp& warp, Slot slot, Mask value) {
  Mask& predicate = warp.predicate(slot);
  predicate = (predicate & ~warp.active()) | (value & warp.active());
}

template <class To, class From>
To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace vgpu

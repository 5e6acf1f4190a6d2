// SPDX-License-Identifier: Apache-2.0
//
// A conversion is a sequence of steps on the 32 values of a register. The values are loaded as 64-bit integers or as
// doubles, which represent every value of every type; each step then changes them, and finally they are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exec/instructions/lanes.h"
#include "exec/instructions/rounding.h"

namespace vgpu {

struct Row {
  alignas(64) std::int64_t integers[kLanes];  // u64 values have the same bits
  alignas(64) double reals[kLanes];
};

using Step = void (*)(Row&);

struct Conversion {
  // `stride` is the size of the source register, of which only the lower bytes are used.
  void (*load)(const std::byte* lanes, std::size_t stride, Row& row) = nullptr;
  std::vector<Step> steps;
  void (*store)(const Row& row, std::byte* lanes, Mask active) = nullptr;
};

// Returns null if the type cannot be converted.
decltype(Conversion::load) load_of(ptx::Type type);
// Stores to a register of this size. Integers are sign-extended or zero-extended to it.
decltype(Conversion::store) store_of(ptx::Type type, std::size_t register_size);

// Integers to integers: clamps to the range of the type.
Step clamp_step(ptx::Type from, ptx::Type to);
// Integers to reals: rounds to the type in the host's rounding mode.
Step integer_to_real_step(ptx::Type from, ptx::Type to);
// Reals that are whole numbers to integers: clamps to the range of the type. NaN becomes 0 or, from f64 and to 64-bit
// integers, the value with only the most significant bit set.
Step real_to_integer_step(ptx::Type from, ptx::Type to);

// Steps on reals.
Step round_step(ptx::Type to);   // rounds to the type, in the host's rounding mode
Step round_to_whole_step();      // rounds to a whole number, in the host's rounding mode
Step finite_step(ptx::Type to);  // .satfinite: overflow gives the largest finite number
Step saturate_step();            // .sat
Step rectify_step();             // .relu
Step flush_step();               // .ftz, of f32

}  // namespace vgpu

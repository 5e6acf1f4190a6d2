// SPDX-License-Identifier: Apache-2.0
//
// A conversion is a sequence of steps on the 32 values of a register. The values are loaded as 64-bit integers or as
// doubles, which represent every value of every type, then changed step by step, then stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exec/instructions/lanes.h"
#include "exec/instructions/rounding.h"

namespace vgpu {

struct Row {
  alignas(64) std::int64_t integers[kLanes];  // of u64 the same bits
  alignas(64) double reals[kLanes];
};

using Step = void (*)(Row&);

struct Conversion {
  // `stride` is the size of the source register, of which the lower bytes count.
  void (*load)(const std::byte* lanes, std::size_t stride, Row& row) = nullptr;
  std::vector<Step> steps;
  void (*store)(const Row& row, std::byte* lanes, Mask active) = nullptr;
};

// Null where the type has no part in conversions.
decltype(Conversion::load) load_of(ptx::Type type);
// Into a register of this size; integers fill it up with their sign or with zeros.
decltype(Conversion::store) store_of(ptx::Type type, std::size_t register_size);

// From integers to integers: into the range of the type.
Step clamp_step(ptx::Type from, ptx::Type to);
// From integers to reals: what the type holds, in the host's rounding mode.
Step integer_to_real_step(ptx::Type from, ptx::Type to);
// From reals that are whole numbers to integers: into the range of the type. NaN becomes 0 or, from f64 and to 64 bits,
// the number of which the highest bit is set alone.
Step real_to_integer_step(ptx::Type from, ptx::Type to);

// On reals.
Step round_step(ptx::Type to);   // to a number of the type, in the host's rounding mode
Step round_to_whole_step();      // likewise to a whole number
Step finite_step(ptx::Type to);  // .satfinite: what is too large becomes the largest number
Step saturate_step();            // .sat
Step rectify_step();             // .relu
Step flush_step();               // .ftz, of f32

}  // namespace vgpu

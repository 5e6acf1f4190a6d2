// SPDX-License-Identifier: Apache-2.0
//
// The decoding of floating-point instructions. Each function takes all modifiers of its instruction.
#pragma once

#include "exec/decode.h"

namespace vgpu {

bool is_half(ptx::Type type);  // f16, bf16, f16x2 or bf16x2

void decode_float_arithmetic(Decoder& d);  // add, sub, mul, fma, mad, div, rcp, sqrt of f32, f32x2, f64
void decode_half_arithmetic(Decoder& d);   // add, sub, mul, fma of f16, bf16 and their pairs
void decode_selection(Decoder& d);         // abs, neg, min, max of all floating types
void decode_approximation(Decoder& d);     // .approx and div.full

}  // namespace vgpu

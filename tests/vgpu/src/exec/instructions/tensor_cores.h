// SPDX-License-Identifier: Apache-2.0
//
// How tensor cores add products of tf32, fp16 and bf16 to an fp32 accumulator. NVIDIA does not document it. The first
// of these papers measured the rules, and the models of the other two were compared with GPUs bit for bit:
//
//   Fasi, Higham, Mikaitis, Pranesh: Numerical behavior of NVIDIA tensor cores. PeerJ Computer Science 7:e330, 2021
//   Khattak, Mikaitis: Accurate models of NVIDIA tensor cores. arXiv:2512.07004, 2025
//   Xie, Wang, Yang, Yang: MMA-Sim. arXiv:2511.10909, 2025
//
// The products and the accumulator are aligned to the largest exponent among them, and each is truncated toward zero to
// the same last bit. Their exact sum is normalised and truncated to fp32. A product has the sum of its factors'
// exponents, so its significand is in [1, 4). If the products of an instruction do not fit into one such addition, its
// result is the accumulator of the next. Both models have these numbers, which depend on the GPU:
//
//                           bits of an addend after its point   products of tf32   of fp16 and bf16
//   sm_75 to sm_89                        24 = 23 + 1                    4                 8
//   sm_90 and later                       25 = 23 + 2                    8                16
//
// The first row loses more: fewer bits, and two truncations where the second row has one. VGPU_DEVICE=sm_80 therefore
// shows the largest errors that a program has to expect.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ptx/types.h"

namespace vgpu {

struct TensorCore {
  int fraction_bits;          // bits of an aligned addend after its point
  std::size_t products;       // that are added to the accumulator at once
  int least_factor_exponent;  // the exponent of subnormal factors
};

// Returns the rules for factors of this type; `architecture` is 90 for sm_90.
TensorCore tensor_core_of(std::uint32_t architecture, ptx::Type factors);

// Adds the product of a, [rows, depth], and b, [depth, columns], to sum, [rows, columns], whose elements are floats.
// NaN and infinity propagate as in IEEE arithmetic. A sum of 2^128 or more is infinite, and a sum of zeros is positive.
void add_products(const TensorCore& core, const double* a, const double* b, double* sum, std::size_t rows,
                  std::size_t columns, std::size_t depth);

}  // namespace vgpu

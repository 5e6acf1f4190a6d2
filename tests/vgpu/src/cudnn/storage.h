// SPDX-License-Identifier: Apache-2.0
//
// Numbers in memory. Results are computed in double and rounded once, to nearest with ties to even.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cudnn {

enum class Storage { kFloat, kHalf, kBfloat16 };

inline std::size_t size_of(Storage type) { return type == Storage::kFloat ? 4 : 2; }

void decode(Storage type, const void* from, std::size_t count, double* to);
void encode(Storage type, const double* from, std::size_t count, void* to);

std::vector<double> decoded(Storage type, const void* from, std::size_t count);

}  // namespace vgpu::cudnn

// SPDX-License-Identifier: Apache-2.0
//
// A linear map y = W x over the valid rows of a batch and its gradients. Padding is not read: 0 times NaN is NaN, so a
// gradient of zero would not keep it out of a sum. How the work is cut depends on shapes alone.
#pragma once

#include <cstdint>

#include "encoder/cpu/sequences.h"

namespace attn::cpu {

// y [rows, M] = x [rows, N] w^T, w [M, N].
void project(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* x, const float* w,
             float* y);

// d_x [rows, N] = d_y [rows, M] w, added to d_x where `accumulate`.
void project_back(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* w,
                  float* d_x, bool accumulate);

// d_w [M, N] = the sum over the rows of d_y [rows, M] times x [rows, N].
void projection_gradient(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* d_y,
                         const float* x, float* d_w);

}  // namespace attn::cpu

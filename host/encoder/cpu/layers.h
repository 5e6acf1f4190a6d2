// SPDX-License-Identifier: Apache-2.0
//
// Embedding, dense, loss and optimiser on the CPU; formulas and shapes in encoder.h. Arguments are validated.
#pragma once

#include <cstdint>

#include "attn_cuda/encoder.h"

namespace attn::cpu {

void embedding_forward(int threads, std::int64_t N, std::int64_t E, const std::int32_t* ids, const float* table,
                       float* rows);
void embedding_backward(int threads, std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                        const float* d_rows, float* d_table);
void dense_forward(int threads, std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                   float* z);
void dense_backward(int threads, std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                    float* d_x, float* d_w, float* d_b);
void sigmoid_cross_entropy(int threads, std::int64_t B, const float* z, const float* y, float* losses, float* d_z);
void adam_step(int threads, const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m, float* s);

}  // namespace attn::cpu

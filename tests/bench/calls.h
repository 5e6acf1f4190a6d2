// SPDX-License-Identifier: Apache-2.0
//
// Every compute call of libattn_cuda, for any shape, storage type and backend, with its tensors and its expected cost:
// for benchmarks, and for tests that count memory traffic.
#pragma once

#include <array>
#include <memory>

#include "attn_cuda/attn_cuda.hpp"
#include "bench/traffic.h"

namespace attn::bench {

struct Pass {
  const char* name;
  bool pooling, backward;
  bool weights;  // whether forward writes the weights and backward is given them
};

inline constexpr std::array<Pass, 6> kPasses = {{{"additive_forward", false, false, false},
                                                 {"additive_forward_weights", false, false, true},
                                                 {"additive_backward", false, true, true},
                                                 {"additive_backward_recomputing", false, true, false},
                                                 {"pooling_forward", true, false, false},
                                                 {"pooling_backward", true, true, false}}};

struct Storage {
  const char* name;
  attn_dtype_t dtype;
  Index size;
};

inline constexpr std::array<Storage, 3> kStorages = {
    {{"fp32", ATTN_DTYPE_FP32, 4}, {"fp16", ATTN_DTYPE_FP16, 2}, {"bf16", ATTN_DTYPE_BF16, 2}}};

struct Cost {
  Index moved;  // bytes through global memory, as bench/traffic.h states them
  Index least;  // bytes, counting each input and output once
  Index tanhs;
};

Cost cost_of(const Pass& pass, const Shape& shape);

class Call {
 public:
  virtual ~Call() = default;
  // Enqueues the call on the handle's stream.
  virtual void run() = 0;
};

// Tensors have random values of magnitude 1/2 to 1. Throws attn::Error where the library does not support the call.
std::unique_ptr<Call> make_call(const Handle& handle, const Pass& pass, const Shape& shape, attn_dtype_t dtype);

}  // namespace attn::bench

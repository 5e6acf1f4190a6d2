// SPDX-License-Identifier: Apache-2.0
//
// Every call of libattn_cuda that computes, for any shape, storage type and backend, with its tensors and what it is
// expected to cost: for benchmarks, and for tests of what calls do to the memory system.
#pragma once

#include <array>
#include <memory>

#include "attn_cuda/attn_cuda.hpp"
#include "kernels/traffic.h"

namespace attn::bench {

using kernels::Index;
using kernels::Shape;

struct Pass {
  const char* name;
  bool pooling, backward;
  bool weights;  // forward writes them, backward gets those of the forward pass
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
  Index moved;  // bytes through global memory, of kernels/traffic.h
  Index least;  // bytes of each input and output once
  Index tanhs;
};

Cost cost_of(const Pass& pass, const Shape& shape);

class Call {
 public:
  virtual ~Call() = default;
  // Enqueues the call on the handle's stream.
  virtual void run() = 0;
};

// With tensors of values between 1/2 and 1 of either sign. Throws attn::Error where the library does not offer the call.
std::unique_ptr<Call> make_call(const Handle& handle, const Pass& pass, const Shape& shape, attn_dtype_t dtype);

}  // namespace attn::bench

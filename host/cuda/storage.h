// SPDX-License-Identifier: Apache-2.0
//
// From the untyped pointers of the C API to the typed ones of the kernels.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstddef>
#include <string>
#include <type_traits>

#include "base/failure.h"
#include "cuda/check.h"
#include "kernels/launch.h"

namespace attn::internal::cuda {

// Calls body(Storage()) with the C++ type of `dtype`.
template <class Body>
void with_storage(attn_dtype_t dtype, const Body& body) {
  switch (dtype) {
    case ATTN_DTYPE_FP32:
      return body(float());
    case ATTN_DTYPE_FP16:
      return body(__half());
    case ATTN_DTYPE_BF16:
      return body(__nv_bfloat16());
  }
  throw Failure(ATTN_INTERNAL_ERROR, "unknown dtype " + std::to_string(static_cast<int>(dtype)));
}

template <class Storage>
const Storage* in(const void* tensor) {
  return static_cast<const Storage*>(tensor);
}
template <class Storage>
Storage* out(void* tensor) {
  return static_cast<Storage*>(tensor);
}

// The piece of a workspace that starts `offset` bytes in.
template <class Value = float>
Value* piece(void* workspace, kernels::Index offset) {
  return reinterpret_cast<Value*>(static_cast<std::byte*>(workspace) + offset);
}

// What both forward passes have; `args` is one of theirs, and has no lse taken from it.
template <class Storage, class Args>
kernels::Attention<Storage> attention(const kernels::ForwardPlan& plan, const Args& args, kernels::Index B,
                                      kernels::Index Q, kernels::Index T, kernels::Index D, void* workspace) {
  kernels::Attention<Storage> to{};
  to.B = B;
  to.Q = Q;
  to.T = T;
  to.D = D;
  to.x = in<Storage>(args.x);
  to.lengths = args.lengths;
  to.cu_seqlens = args.cu_seqlens;
  to.o = out<Storage>(args.o);
  to.weights = out<Storage>(args.weights);
  to.split = plan.split;
  if (plan.whole) return to;
  to.states = piece<kernels::SoftmaxState>(workspace, plan.states);
  to.contexts = piece(workspace, plan.contexts);
  if (args.weights != nullptr)
    to.scores = std::is_same_v<Storage, float> ? out<float>(args.weights) : piece(workspace, plan.scores);
  return to;
}

// sums [width] = the sum of rows [count, width], over kSumParts sums in `parts` where there are many rows.
template <class In, class Out>
void sum_rows(const In* rows, kernels::Index count, kernels::Index width, float* parts, Out* sums,
              cudaStream_t stream) {
  if (count <= kernels::kDirectRows)
    return check(kernels::launch_row_sums<In, Out>({rows, count, width, 1, count, sums}, stream), "row_sums");
  const kernels::Index per_part = kernels::divide_up(count, kernels::kSumParts);
  check(kernels::launch_row_sums<In, float>({rows, count, width, kernels::kSumParts, per_part, parts}, stream),
        "row_sums");
  check(kernels::launch_row_sums<float, Out>({parts, kernels::kSumParts, width, 1, kernels::kSumParts, sums}, stream),
        "row_sums");
}

}  // namespace attn::internal::cuda

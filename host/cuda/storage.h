// SPDX-License-Identifier: Apache-2.0
//
// Conversion of the untyped pointers of the C API to the typed pointers of the kernels.
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

// The tensor that starts `offset` bytes after the beginning of a workspace.
template <class Value = float>
Value* at_offset(void* workspace, kernels::Index offset) {
  return reinterpret_cast<Value*>(static_cast<std::byte*>(workspace) + offset);
}

// The parameters that both forward passes share, from the arguments of either. lse is left null.
template <class Storage, class Args>
kernels::AttentionForward<Storage> attention(const kernels::ForwardPlan& plan, const Args& args, kernels::Index B,
                                             kernels::Index Q, kernels::Index T, kernels::Index D, void* workspace) {
  kernels::AttentionForward<Storage> common{};
  common.B = B;
  common.Q = Q;
  common.T = T;
  common.D = D;
  common.x = in<Storage>(args.x);
  common.lengths = args.lengths;
  common.cu_seqlens = args.cu_seqlens;
  common.o = out<Storage>(args.o);
  common.weights = out<Storage>(args.weights);
  common.split = plan.split;
  if (plan.whole) return common;
  common.states = at_offset<kernels::SoftmaxState>(workspace, plan.states);
  common.contexts = at_offset(workspace, plan.contexts);
  if (args.weights != nullptr)
    common.scores = std::is_same_v<Storage, float> ? out<float>(args.weights) : at_offset(workspace, plan.scores);
  return common;
}

// sums [width] = the sum of rows [count, width]. Many rows are first reduced to kPartialSums sums in `partials`.
template <class In, class Out>
void sum_rows(const In* rows, kernels::Index count, kernels::Index width, float* partials, Out* sums,
              cudaStream_t stream) {
  if (count <= kernels::kDirectRows)
    return check(kernels::launch_row_sums<In, Out>({rows, count, width, 1, count, sums}, stream), "row_sums");
  const kernels::Index per_partial = kernels::divide_up(count, kernels::kPartialSums);
  check(kernels::launch_row_sums<In, float>({rows, count, width, kernels::kPartialSums, per_partial, partials}, stream),
        "row_sums");
  check(kernels::launch_row_sums<float, Out>({partials, kernels::kPartialSums, width, 1, kernels::kPartialSums, sums},
                                             stream),
        "row_sums");
}

}  // namespace attn::internal::cuda

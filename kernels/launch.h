// SPDX-License-Identifier: Apache-2.0
//
// The kernels as host code sees them, instantiated for float, __half and __nv_bfloat16. Each call enqueues work on
// `stream` and returns what the launch returned; nothing is allocated or waited for. Sizes may be zero.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/params.h"

namespace attn::kernels {

// Q = 1 and Q > 1. Where plan_forward() says that a row is not whole, launch_merge() is to follow.
template <class Storage>
cudaError_t launch_additive_single_forward(const AdditiveForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_multi_forward(const AdditiveForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_pooling_forward(const PoolingForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_merge(const Attention<Storage>& params, cudaStream_t stream);

// Weights in fp32, g, and means; then what follows from them.
template <class Storage>
cudaError_t launch_additive_single_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_single_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream);

template <class Storage>
cudaError_t launch_additive_multi_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_multi_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_multi_values(const AdditiveBackward<Storage>& params, cudaStream_t stream);

template <class Storage>
cudaError_t launch_pooling_backward(const PoolingBackward<Storage>& params, cudaStream_t stream);

// One of the types is float.
template <class In, class Out>
cudaError_t launch_row_sums(const RowSums<In, Out>& params, cudaStream_t stream);

}  // namespace attn::kernels

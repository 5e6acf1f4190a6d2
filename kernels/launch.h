// SPDX-License-Identifier: Apache-2.0
//
// Launches the kernels of libattn_cuda, which are instantiated for float, __half and __nv_bfloat16. Each function
// enqueues work on `stream` and returns the status of the launch. It neither allocates nor synchronises. Sizes may be
// zero.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/params.h"

namespace attn::kernels {

// "single" is for Q = 1, "multi" for Q > 1, which needs launch_additive_encode() first. Unless plan_forward() says that
// one block sees a whole row, launch_merge() must follow.
template <class Storage>
cudaError_t launch_additive_single_forward(const AdditiveForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_encode(const AdditiveEncode<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_multi_forward(const AdditiveForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_pooling_forward(const PoolingForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_merge(const AttentionForward<Storage>& params, cudaStream_t stream);

// The scores kernels make g (for several queries dE) and the means, and the weights in fp32; for several queries, whose
// weights are not given, launch_additive_encode() and launch_additive_multi_weights() must have made them. The others read
// these.
template <class Storage>
cudaError_t launch_additive_single_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_additive_single_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream);

cudaError_t launch_additive_multi_weights(const AdditiveWeights& params, cudaStream_t stream);
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

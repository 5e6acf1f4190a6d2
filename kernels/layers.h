// SPDX-License-Identifier: Apache-2.0
//
// Launches the kernels of the classifier's layers, which are part of the encoder library. Parameters, their gradients
// and activations with one element per item are fp32; `Storage`, the type of wider activations, is float, __half or
// __nv_bfloat16. As in launch.h, each function enqueues work on `stream`, returns the status of the launch, and neither
// allocates nor synchronises. Sizes may be zero, and pointers need no alignment beyond that of one element.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/layer_formulas.h"
#include "kernels/tune.h"

namespace attn::kernels {

// An id outside 0 ... V - 1 gives a row of zeros and has no gradient.
template <class Storage>
struct EmbeddingForward {
  Index N, V, E;
  const std::int32_t* ids;  // [N]
  const float* table;       // [V, E]
  Storage* rows;            // [N, E]
};

// (id, position) pairs, sorted by id; pairs of equal ids keep their order.
struct SortedPairs {
  std::uint32_t* ids;  // [N], with largest_key(V) for ids outside 0 ... V - 1
  Index* positions;    // [N]
};

// The key of ids without a row in the table, which is above all other keys.
inline constexpr Index largest_key(Index V) { return V < Index{1} << 31 ? V : Index{1} << 31; }

struct SortById {
  Index N, V;
  SortedPairs buffers[2];  // double buffer of the sort: the first is the input
  void* space;             // scratch of the sort
  std::size_t bytes;       // its size
};

template <class Storage>
struct EmbeddingBackward {
  Index N, V, E;
  const std::int32_t* ids;  // [N]
  const Storage* d_rows;    // [N, E]
  float* d_table;           // [V, E]
  float* carries;           // [segments, E], sums of the runs that began in an earlier segment
  SortById sort;
};

inline constexpr int kSegmentPairs = 32;  // pairs of a segment, which one warp reduces

struct EmbeddingBackwardPlan {
  Index ids[2], positions[2];  // [N]
  Index carries;               // [divide_up(N, kSegmentPairs), E]
  Index sort;
  Index bytes;
};

inline EmbeddingBackwardPlan plan_embedding_backward(Index N, Index E, std::size_t sort_bytes) {
  EmbeddingBackwardPlan plan{};
  Layout layout;
  for (int i = 0; i < 2; ++i) {
    plan.ids[i] = layout.add(N, sizeof(std::uint32_t));
    plan.positions[i] = layout.add(N, sizeof(Index));
  }
  plan.carries = layout.add_rows(divide_up(N, kSegmentPairs), E);
  plan.sort = layout.add(static_cast<Index>(sort_bytes), 1);
  plan.bytes = layout.bytes();
  return plan;
}

// z = x w + b
struct DenseForward {
  Index B, D;
  const float* x;  // [B, D]
  const float* w;  // [D]
  const float* b;  // [1]
  float* z;        // [B]
};

struct DenseBackward {
  Index B, D;
  const float* x;    // [B, D]
  const float* w;    // [D]
  const float* d_z;  // [B]
  float* d_x;        // [B, D]
  float* d_w;        // [D]
  float* d_b;        // [1]
};

// Cross-entropy of sigmoid(z) for each item, and the gradient of its mean over the batch.
struct CrossEntropy {
  Index B;
  const float* z;  // [B]
  const float* y;  // [B]
  float scale;     // loss scale, which multiplies the gradient
  float* losses;   // [B] or null
  float* d_z;      // [B] or null
};

struct AdamStep {
  Index N;
  AdamRates rates;
  const float* g;            // [N], gradient
  float *p, *m, *s;          // [N], parameter and moments
  const std::int32_t* skip;  // [1] or null: the step is skipped where it is not zero
};

// Sets found to whether any of the numbers is NaN or infinite.
struct FindNonfinite {
  Index N;
  const float* numbers;  // [N]
  std::int32_t* found;   // [1], 0 or 1
};

// out_i = in_i, rounded to nearest even where Out is narrower. Exactly one of the two types is float.
template <class In, class Out>
struct Convert {
  Index N;
  const In* in;  // [N]
  Out* out;      // [N]
};

template <class Storage>
struct Dropout {
  std::int64_t N;
  DropoutMask mask;
  const Storage* in;  // [N]
  Storage* out;       // [N], may be `in`
};

template <class Storage>
cudaError_t launch_embedding_forward(const EmbeddingForward<Storage>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_embedding_backward(const EmbeddingBackward<Storage>& params, cudaStream_t stream);
cudaError_t launch_dense_forward(const DenseForward& params, cudaStream_t stream);
cudaError_t launch_dense_backward(const DenseBackward& params, cudaStream_t stream);
cudaError_t launch_cross_entropy(const CrossEntropy& params, cudaStream_t stream);
cudaError_t launch_adam_step(const AdamStep& params, cudaStream_t stream);
cudaError_t launch_find_nonfinite(const FindNonfinite& params, cudaStream_t stream);
template <class In, class Out>
cudaError_t launch_convert(const Convert<In, Out>& params, cudaStream_t stream);
template <class Storage>
cudaError_t launch_dropout(const Dropout<Storage>& params, cudaStream_t stream);

// Sorts the pairs in buffers[0]. *sorted is set to the buffer that holds the result.
cudaError_t launch_sort_by_id(const SortById& params, SortedPairs* sorted, cudaStream_t stream);
// The scratch that launch_sort_by_id() needs on the current device, in bytes.
cudaError_t sort_by_id_bytes(Index N, Index V, std::size_t* bytes);

}  // namespace attn::kernels

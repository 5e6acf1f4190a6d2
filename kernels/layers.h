// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the classifier's layers as host code sees them, part of the encoder library. Parameters, their gradients
// and what an item has one number of are fp32; `Storage`, the type of wider activations, is float, __half or
// __nv_bfloat16. As in launch.h, each call enqueues work on `stream` and returns what the launch returned; nothing is
// allocated or waited for, sizes may be zero, and every pointer may stand at any element.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/layer_formulas.h"
#include "kernels/tune.h"

namespace attn::kernels {

// An id outside 0 ... V - 1 stands for a row of zeros, and has no gradient.
template <class Storage>
struct EmbeddingForward {
  Index N, V, E;
  const std::int32_t* ids;  // [N]
  const float* table;       // [V, E]
  Storage* rows;            // [N, E]
};

// Places with their ids, sorted by these; places of one id stand in their own order.
struct SortedPlaces {
  std::uint32_t* ids;  // [N], those outside 0 ... V - 1 as largest_key(V)
  Index* places;       // [N]
};

// Above every id of the table.
inline constexpr Index largest_key(Index V) { return V < Index{1} << 31 ? V : Index{1} << 31; }

struct PlacesSort {
  Index N, V;
  SortedPlaces buffers[2];  // it goes to and fro between them
  void* space;              // bytes
  std::size_t bytes;
};

template <class Storage>
struct EmbeddingBackward {
  Index N, V, E;
  const std::int32_t* ids;  // [N]
  const Storage* d_rows;    // [N, E]
  float* d_table;           // [V, E]
  float* heads;             // [pieces, E], sums of the runs that go on from the piece before
  PlacesSort sort;
};

inline constexpr int kPiecePlaces = 32;  // of sorted places, which one warp adds up

struct EmbeddingBackwardPlan {
  Index ids[2], places[2];  // [N]
  Index heads;              // [divide_up(N, kPiecePlaces), E]
  Index sort;
  Index bytes;
};

inline EmbeddingBackwardPlan plan_embedding_backward(Index N, Index E, std::size_t sort_bytes) {
  EmbeddingBackwardPlan plan{};
  Layout layout;
  for (int i = 0; i < 2; ++i) {
    plan.ids[i] = layout.add(N, sizeof(std::uint32_t));
    plan.places[i] = layout.add(N, sizeof(Index));
  }
  plan.heads = layout.add_rows(divide_up(N, kPiecePlaces), E);
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

// Of the mean over B of the cross-entropy of sigmoid(z).
struct CrossEntropy {
  Index B;
  const float* z;  // [B]
  const float* y;  // [B]
  float scale;     // of the gradient
  float* losses;   // [B] or null
  float* d_z;      // [B] or null
};

struct AdamStep {
  Index N;
  AdamRates rates;
  const float* g;  // [N], like p and the moments m and s
  float *p, *m, *s;
  const std::int32_t* skip;  // where not zero, nothing is changed; null: zero
};

// Whether any of some numbers is NaN or infinite.
struct FindNonfinite {
  Index N;
  const float* numbers;  // [N]
  std::int32_t* found;   // 0 or 1
};

// out_i = in_i, rounded to the nearest where Out is narrower. One of the types is float, the other is not.
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
  Storage* out;       // [N], may be in
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

// Sorts the first of the buffers; *sorted is the one of them that then has the result.
cudaError_t launch_sort_places(const PlacesSort& params, SortedPlaces* sorted, cudaStream_t stream);
// The space that launch_sort_places() needs on the current device.
cudaError_t sort_places_bytes(Index N, Index V, std::size_t* bytes);

}  // namespace attn::kernels

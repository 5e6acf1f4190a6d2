// SPDX-License-Identifier: Apache-2.0
//
// The kernels that surround cuDNN's LSTM and cuBLAS's products, as host code sees them, part of the encoder library.
// `Storage`, the type of activations, is float, __half or __nv_bfloat16; our parameters are fp32. As in launch.h, each
// call enqueues work on `stream` and returns what the launch returned; nothing is allocated or waited for, sizes may be
// zero, and every pointer may stand at any element.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/tune.h"

namespace attn::kernels {

// out_btw = in_btw for t < lengths[b], else 0: padding is not read. `in` may be `out`.
template <class Storage>
struct CopyRows {
  Index B, T, W;
  const Storage* in;            // [B, T, W], or [T, W] where each item has the same rows
  bool same_rows;               // in every item
  const std::int32_t* lengths;  // [B] or null: all T
  Storage* out;                 // [B, T, W]
};

// A matrix inside a larger one: consecutive rows are `stride` elements apart. One of the types is float.
template <class In, class Out>
struct Transpose {
  Index rows, columns;
  const In* in;  // [rows, columns]
  Index in_stride;
  Out* out;  // [columns, rows]
  Index out_stride;
};

inline constexpr int kMostTransposes = 24;

// Any number of matrices up to kMostTransposes in one launch.
template <class In, class Out>
struct Transposes {
  int count;
  Transpose<In, Out> matrices[kMostTransposes];
};

// Numbers of the host that travel inside the launch, so that nobody has to keep them until it runs, in a captured graph
// for as long as that lives.
inline constexpr int kMostNumbers = 960;  // parameters of a kernel are 4 KB

struct StoreNumbers {
  int count;
  std::int32_t numbers[kMostNumbers];
  std::int32_t* out;  // [count]
};

template <class Storage>
cudaError_t launch_copy_rows(const CopyRows<Storage>& params, cudaStream_t stream);
template <class In, class Out>
cudaError_t launch_transposes(const Transposes<In, Out>& params, cudaStream_t stream);
cudaError_t launch_store_numbers(const StoreNumbers& params, cudaStream_t stream);

}  // namespace attn::kernels

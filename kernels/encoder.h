// SPDX-License-Identifier: Apache-2.0
//
// Launches the kernels of the encoder library that prepare the arguments of cuDNN's LSTM and cuBLAS's products and
// convert their results. `Storage`, the type of activations, is float, __half or __nv_bfloat16; our parameters are
// fp32. As in launch.h, each function enqueues work on `stream`, returns the status of the launch, and neither
// allocates nor synchronises. Sizes may be zero, and pointers need no alignment beyond that of one element.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/tune.h"

namespace attn::kernels {

// out_btw = in_btw for t < lengths[b], otherwise 0. Padding is not read. `in` may be `out`.
template <class Storage>
struct CopyRows {
  Index B, T, W;
  const Storage* in;            // [B, T, W], or [T, W] with same_rows
  bool same_rows;               // whether all items share their rows
  const std::int32_t* lengths;  // [B] or null: all T
  Storage* out;                 // [B, T, W]
};

// out = the transpose of `in`. Consecutive rows are `stride` elements apart. One of the two types is float.
template <class In, class Out>
struct Transpose {
  Index rows, columns;
  const In* in;  // [rows, columns]
  Index in_stride;
  Out* out;  // [columns, rows]
  Index out_stride;
};

inline constexpr int kMostTransposes = 24;

// Up to kMostTransposes matrices in one launch.
template <class In, class Out>
struct Transposes {
  int count;
  Transpose<In, Out> matrices[kMostTransposes];
};

// Host values that are passed as kernel arguments, so neither the caller nor a captured graph has to keep the host
// buffer alive.
inline constexpr int kMostUploadValues = 960;  // the arguments of a kernel may have 4 KB

struct UploadValues {
  int count;
  std::int32_t values[kMostUploadValues];
  std::int32_t* out;  // [count]
};

template <class Storage>
cudaError_t launch_copy_rows(const CopyRows<Storage>& params, cudaStream_t stream);
template <class In, class Out>
cudaError_t launch_transposes(const Transposes<In, Out>& params, cudaStream_t stream);
cudaError_t launch_upload_values(const UploadValues& params, cudaStream_t stream);

}  // namespace attn::kernels

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attn_cuda/attn_cuda.h"
#include "encoder/cuda/cublas.h"
#include "encoder/cuda/cudnn.h"

namespace attn::internal::cuda {

// The handles of cuDNN and cuBLASLt that belong to one handle of ours.
struct Vendor {
  CudnnHandle cudnn;
  Cublas cublas;
  bool tf32 = false;  // whether factors may be rounded to TF32
};

// "cuDNN 9.19.0, cuBLAS 13.1.0"
const char* vendor_versions();

}  // namespace attn::internal::cuda

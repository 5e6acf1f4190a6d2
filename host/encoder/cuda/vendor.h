// SPDX-License-Identifier: Apache-2.0
//
// The handles of cuDNN and cuBLASLt that go with a handle of ours. Making them takes long and memory of the device, so
// everything that runs on one handle shares them.
#pragma once

#include "attn_cuda/attn_cuda.h"
#include "encoder/cuda/cublas.h"
#include "encoder/cuda/cudnn.h"

namespace attn::internal::cuda {

struct Vendor {
  CudnnHandle cudnn;
  Cublas cublas;
  bool tf32 = false;  // whether factors may be rounded to it
};

// Makes them at the first call.
Vendor& vendor_of(attn_handle_t handle);

// "cuDNN 9.19.0, cuBLAS 13.1.0"
const char* vendor_versions();

}  // namespace attn::internal::cuda

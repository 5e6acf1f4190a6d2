// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "encoder/base/backend.h"
#include "encoder/cuda/layers.h"

namespace attn::internal::cuda {

// The operations that need only the CUDA runtime.
class CudaLayersBackend : public EncoderBackend {
 public:
  explicit CudaLayersBackend(attn_handle_t handle) : layers_(handle) {}

  Layers& layers() final { return layers_; }

 private:
  CudaLayers layers_;
};

}  // namespace attn::internal::cuda

// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows which backends are in the build.
#include "encoder/api/choose_backend.h"

#include "base/failure.h"
#include "encoder/base/handle.h"
#include "encoder/cpu/backend.h"

#if defined(ATTN_WITH_CUDNN)
#include "encoder/cuda/backend.h"
#elif defined(ATTN_WITH_CUDA)
#include "encoder/cuda/layers_backend.h"
#endif

namespace attn::internal {
namespace {

constexpr char kKey = 0;  // its address identifies the object attached to the handle

std::unique_ptr<EncoderBackend> make_encoder_backend(attn_handle_t handle) {
  if (backend_kind(handle) == ATTN_BACKEND_CPU) return std::make_unique<cpu::CpuEncoderBackend>(handle);
#if defined(ATTN_WITH_CUDNN)
  return std::make_unique<cuda::CudaEncoderBackend>(handle);
#elif defined(ATTN_WITH_CUDA)
  return std::make_unique<cuda::CudaLayersBackend>(handle);
#else
  throw Failure(
      ATTN_UNSUPPORTED,
      "handle: expected one of ATTN_BACKEND_CPU, the only backend in this build, got one of ATTN_BACKEND_CUDA");
#endif
}

}  // namespace

EncoderBackend& encoder_backend_of(attn_handle_t handle) {
  void* attached = nullptr;
  require_success(attn_get_attached(handle, &kKey, &attached));
  if (attached != nullptr) return *static_cast<EncoderBackend*>(attached);
  auto backend = make_encoder_backend(handle);
  require_success(
      attn_attach(handle, &kKey, backend.get(), [](void* object) { delete static_cast<EncoderBackend*>(object); }));
  return *backend.release();
}

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
#include "encoder/handle.h"

#include "attn_cuda/encoder.h"
#include "base/failure.h"
#include "base/validate.h"
#include "encoder/cpu/onednn.h"

#ifdef ATTN_WITH_CUDNN
#include "encoder/cuda/vendor.h"
#endif

namespace attn::internal {

void require_success(attn_status_t status) {
  if (status != ATTN_SUCCESS) throw Failure(status, attn_last_error());
}

attn_backend_t backend_kind(attn_handle_t handle) {
  attn_backend_t backend;
  require_success(attn_get_backend(handle, &backend));
  return backend;
}

int cpu_threads(attn_handle_t handle) {
  if (backend_kind(handle) != ATTN_BACKEND_CPU)
    throw Failure(ATTN_UNSUPPORTED,
                  "handle: expected one of ATTN_BACKEND_CPU, the only backend of LSTM and projections in this build, "
                  "which has no cuDNN and cuBLAS, got one of ATTN_BACKEND_CUDA");
  int threads = 0;
  require_success(attn_get_threads(handle, &threads));
  return threads;
}

void* cuda_stream(attn_handle_t handle) {
  void* stream = nullptr;
  require_success(attn_get_stream(handle, &stream));
  return stream;
}

}  // namespace attn::internal

attn_status_t attn_set_tf32(attn_handle_t handle, int32_t allowed) {
  return attn::internal::guarded([&] {
    if (attn::internal::backend_kind(handle) == ATTN_BACKEND_CPU)
      attn::internal::reject("handle", "one of ATTN_BACKEND_CUDA", "one of ATTN_BACKEND_CPU, which has no TF32");
    attn::internal::require_flag("allowed", allowed);
#ifdef ATTN_WITH_CUDNN
    attn::internal::cuda::vendor_of(handle).tf32 = allowed != 0;
#else
    attn::internal::cpu_threads(handle);  // refuses
#endif
  });
}

const char* attn_encoder_libraries(attn_handle_t handle) {
  attn_backend_t backend;
  if (attn_get_backend(handle, &backend) != ATTN_SUCCESS) return "";
  if (backend == ATTN_BACKEND_CPU) return attn::internal::cpu::onednn_version();
#ifdef ATTN_WITH_CUDNN
  return attn::internal::cuda::vendor_versions();
#else
  return "";
#endif
}

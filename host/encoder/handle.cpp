// SPDX-License-Identifier: Apache-2.0
#include "encoder/handle.h"

#include "api/failure.h"
#include "attn_cuda/encoder.h"
#include "encoder/cpu/onednn.h"
#include "encoder/validate.h"

#ifdef ATTN_WITH_CUDNN
#include "encoder/cuda/vendor.h"
#endif

namespace attn {

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

}  // namespace attn

attn_status_t attn_set_tf32(attn_handle_t handle, int32_t allowed) {
  return attn::guarded([&] {
    if (attn::backend_kind(handle) == ATTN_BACKEND_CPU)
      attn::reject("handle", "one of ATTN_BACKEND_CUDA", "one of ATTN_BACKEND_CPU, which has no TF32");
    attn::require_flag("allowed", allowed);
#ifdef ATTN_WITH_CUDNN
    attn::cuda::vendor_of(handle).tf32 = allowed != 0;
#else
    attn::cpu_threads(handle);  // refuses
#endif
  });
}

const char* attn_encoder_libraries(attn_handle_t handle) {
  attn_backend_t backend;
  if (attn_get_backend(handle, &backend) != ATTN_SUCCESS) return "";
  if (backend == ATTN_BACKEND_CPU) return attn::cpu::onednn_version();
#ifdef ATTN_WITH_CUDNN
  return attn::cuda::vendor_versions();
#else
  return "";
#endif
}

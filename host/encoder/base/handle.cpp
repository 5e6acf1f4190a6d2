// SPDX-License-Identifier: Apache-2.0
#include "encoder/base/handle.h"

#include "base/failure.h"

namespace attn::internal {

void require_success(attn_status_t status) {
  if (status != ATTN_SUCCESS) throw Failure(status, attn_last_error());
}

attn_backend_t backend_kind(attn_handle_t handle) {
  attn_backend_t backend;
  require_success(attn_get_backend(handle, &backend));
  return backend;
}

int threads_of(attn_handle_t handle) {
  int threads = 0;
  require_success(attn_get_threads(handle, &threads));
  return threads;
}

void* stream_of(attn_handle_t handle) {
  void* stream = nullptr;
  require_success(attn_get_stream(handle, &stream));
  return stream;
}

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
//
// C entry points that concern the encoder library as a whole.
#include "base/validate.h"
#include "encoder/api/choose_backend.h"
#include "encoder/base/handle.h"

using namespace attn::internal;

attn_status_t attn_set_tf32(attn_handle_t handle, int32_t allowed) {
  return guarded([&] {
    if (backend_kind(handle) == ATTN_BACKEND_CPU)
      reject("handle", "one of ATTN_BACKEND_CUDA", "one of ATTN_BACKEND_CPU, which has no TF32");
    require_flag("allowed", allowed);
    encoder_backend_of(handle).allow_tf32(allowed != 0);
  });
}

const char* attn_encoder_libraries(attn_handle_t handle) {
  const char* libraries = "";
  guarded([&] { libraries = encoder_backend_of(handle).libraries(); });
  return libraries;
}

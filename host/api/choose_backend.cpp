// SPDX-License-Identifier: Apache-2.0
//
// The one place that knows which backends are in the build.
#include "api/choose_backend.h"

#include "base/validate.h"
#include "cpu/backend.h"

#ifdef ATTN_WITH_CUDA
#include "cuda/backend.h"
#endif

namespace attn::internal {

std::unique_ptr<Backend> make_backend(attn_backend_t kind) {
  switch (kind) {
    case ATTN_BACKEND_CPU:
      return make_cpu_backend();
    case ATTN_BACKEND_CUDA:
#ifdef ATTN_WITH_CUDA
      return make_cuda_backend();
#else
      throw Failure(ATTN_UNSUPPORTED,
                    "backend: expected ATTN_BACKEND_CPU, the only one in this build, got ATTN_BACKEND_CUDA");
#endif
  }
  reject("backend", "a value of attn_backend_t", std::to_string(static_cast<int>(kind)));
}

}  // namespace attn::internal

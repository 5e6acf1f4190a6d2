// SPDX-License-Identifier: Apache-2.0
//
// The configurations in which the classifier's layers are tested: each backend, and several numbers of threads on the
// CPU.
#pragma once

#include <ostream>
#include <vector>

#include "attn_cuda/encoder.hpp"
#include "support/attention_run.h"
#include "support/backends.h"

namespace attn::test {

struct LayerRun {
  attn_backend_t backend;
  int threads;
  attn_dtype_t dtype = ATTN_DTYPE_FP32;  // of the activations, if the layer has any

  RunOptions options(int misalignment = 0) const {
    RunOptions options;
    options.backend = backend;
    options.dtype = dtype;
    options.threads = threads;
    options.misalignment = misalignment;
    return options;
  }
};

inline std::ostream& operator<<(std::ostream& out, const LayerRun& run) {
  if (run.backend == ATTN_BACKEND_CPU)
    out << "cpu" << run.threads;
  else
    out << "cuda";
  return run.dtype == ATTN_DTYPE_FP32 ? out : out << "_" << name_of(run.dtype);
}

inline std::vector<LayerRun> layer_runs(const std::vector<attn_dtype_t>& dtypes = kFullStorage) {
  std::vector<LayerRun> runs;
  for (const Target& target : targets(dtypes)) {
    if (target.backend == ATTN_BACKEND_CUDA)
      runs.push_back({target.backend, 2, target.dtype});
    else
      for (const int threads : {1, 2, 3}) runs.push_back({target.backend, threads, target.dtype});
  }
  return runs;
}

class LayerTest : public testing::TestWithParam<LayerRun> {
 protected:
  const RunOptions options = GetParam().options(5);
  const attn_dtype_t dtype = GetParam().dtype;
  const Handle handle = make_handle(options);
};

// Calls the function with a workspace of the required size.
inline void embedding_backward(const Handle& handle, Tensors& tensors, attn_dtype_t dtype, std::int64_t N,
                               std::int64_t V, std::int64_t E, const std::int32_t* ids, const void* d_rows,
                               float* d_table) {
  std::size_t bytes = 0;
  check(attn_embedding_workspace_size(handle.get(), N, V, E, &bytes));
  check(attn_embedding_backward(handle.get(), dtype, N, V, E, ids, d_rows, d_table, tensors.workspace(bytes), bytes));
}

}  // namespace attn::test

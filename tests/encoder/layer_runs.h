// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the classifier's layers run on: each backend, and on the CPU several numbers of threads.
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

  RunOptions options(int misalignment = 0) const {
    RunOptions options;
    options.backend = backend;
    options.threads = threads;
    options.misalignment = misalignment;
    return options;
  }
};

inline std::ostream& operator<<(std::ostream& out, const LayerRun& run) {
  return run.backend == ATTN_BACKEND_CPU ? out << "cpu" << run.threads : out << "cuda";
}

inline std::vector<LayerRun> layer_runs() {
  std::vector<LayerRun> runs = {{ATTN_BACKEND_CPU, 1}, {ATTN_BACKEND_CPU, 3}};
  for (const Target& target : targets(kFullStorage)) runs.push_back({target.backend, 2});
  return runs;
}

class LayerTest : public testing::TestWithParam<LayerRun> {
 protected:
  const RunOptions options = GetParam().options(5);
  const Handle handle = make_handle(options);
};

// With a workspace of the size it asks for.
inline void embedding_backward(const Handle& handle, Tensors& tensors, std::int64_t N, std::int64_t V, std::int64_t E,
                               const std::int32_t* ids, const float* d_rows, float* d_table) {
  std::size_t bytes = 0;
  check(attn_embedding_workspace_size(handle.get(), N, V, E, &bytes));
  check(attn_embedding_backward(handle.get(), ATTN_DTYPE_FP32, N, V, E, ids, d_rows, d_table, tensors.workspace(bytes),
                                bytes));
}

}  // namespace attn::test

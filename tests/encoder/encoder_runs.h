// SPDX-License-Identifier: Apache-2.0
//
// The configurations in which LSTM and projections are tested: the CPU with several numbers of threads, and CUDA if the
// build has cuDNN and cuBLAS.
#pragma once

#include <ostream>
#include <vector>

#include "support/attention_run.h"

namespace attn::test {

inline std::vector<Target> encoder_targets(const std::vector<attn_dtype_t>& dtypes) {
  std::vector<Target> all = targets(dtypes);
#ifndef ATTN_WITH_CUDNN
  all.erase(
      std::remove_if(all.begin(), all.end(), [](const Target& target) { return target.backend == ATTN_BACKEND_CUDA; }),
      all.end());
#endif
  return all;
}

// One configuration per number of threads on the CPU, and a single one on CUDA.
inline std::vector<RunOptions> runs_on(const Target& target, const std::vector<int>& threads) {
  std::vector<RunOptions> runs;
  for (const int count : target.backend == ATTN_BACKEND_CPU ? threads : std::vector<int>{RunOptions().threads}) {
    runs.push_back(on(target));
    runs.back().threads = count;
  }
  return runs;
}

inline std::vector<RunOptions> encoder_runs(const std::vector<int>& threads,
                                            const std::vector<attn_dtype_t>& dtypes = kFullStorage) {
  std::vector<RunOptions> all;
  for (const Target& target : encoder_targets(dtypes))
    for (const RunOptions& options : runs_on(target, threads)) all.push_back(options);
  return all;
}

inline std::ostream& operator<<(std::ostream& out, const RunOptions& options) {
  out << Target{options.backend, options.dtype};
  return options.backend == ATTN_BACKEND_CPU ? out << ", threads " << options.threads : out;
}

// Whether the backend rounds parameters and intermediate results to the type of the activations. The CPU computes in
// fp32 regardless of the types of its inputs and outputs.
inline bool rounds_inside(const Target& target) {
  return target.backend == ATTN_BACKEND_CUDA && target.dtype != ATTN_DTYPE_FP32;
}
// The type of intermediate results.
inline attn_dtype_t inside(const Target& target) { return rounds_inside(target) ? target.dtype : ATTN_DTYPE_FP32; }

}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// What the tests of LSTM and projections run on: the CPU with several numbers of threads, and CUDA where the build has
// cuDNN and cuBLAS.
#pragma once

#include <ostream>
#include <vector>

#include "support/attention_run.h"

namespace attn::test {

inline std::vector<RunOptions> encoder_runs(const std::vector<int>& threads) {
  std::vector<RunOptions> runs;
  RunOptions options;
  for (const int count : threads) {
    options.threads = count;
    runs.push_back(options);
  }
#ifdef ATTN_WITH_CUDNN
  options.backend = ATTN_BACKEND_CUDA;
  runs.push_back(options);
#endif
  return runs;
}

inline std::ostream& operator<<(std::ostream& out, const RunOptions& options) {
  return options.backend == ATTN_BACKEND_CPU ? out << "cpu, threads " << options.threads : out << "cuda";
}

}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// The backends that a parity test runs on, and the storage types it runs with.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "attn_cuda/attn_cuda.h"
#include "support/storage.h"

namespace attn::test {

// The backend and the storage type that a test uses.
struct Target {
  attn_backend_t backend;
  attn_dtype_t dtype;
};

// Every combination of a backend of this build and one of the storage types.
inline std::vector<Target> targets(const std::vector<attn_dtype_t>& dtypes) {
  std::vector<Target> all;
  for (attn_dtype_t dtype : dtypes) {
    all.push_back({ATTN_BACKEND_CPU, dtype});
#ifdef ATTN_WITH_CUDA
    all.push_back({ATTN_BACKEND_CUDA, dtype});
#endif
  }
  return all;
}

inline const std::vector<attn_dtype_t> kFullStorage = {ATTN_DTYPE_FP32};
inline const std::vector<attn_dtype_t> kHalfStorage = {ATTN_DTYPE_FP16, ATTN_DTYPE_BF16};
inline const std::vector<attn_dtype_t> kAnyStorage = {ATTN_DTYPE_FP32, ATTN_DTYPE_FP16, ATTN_DTYPE_BF16};

inline std::ostream& operator<<(std::ostream& out, const Target& target) {
  return out << (target.backend == ATTN_BACKEND_CUDA ? "cuda_" : "cpu_") << name_of(target.dtype);
}

// Name generators for parameterised tests, whose parameter is a target or a target and a shape.
inline std::string target_name(const testing::TestParamInfo<Target>& info) {
  return testing::PrintToString(info.param);
}
template <class Shape>
std::string shape_name(const testing::TestParamInfo<std::tuple<Target, Shape>>& info) {
  return testing::PrintToString(std::get<0>(info.param)) + "_" + testing::PrintToString(std::get<1>(info.param));
}

}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// The backends that a parity test runs on.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "attn_cuda/attn_cuda.h"

namespace attn::test {

inline std::vector<attn_backend_t> backends() {
#ifdef ATTN_WITH_CUDA
  return {ATTN_BACKEND_CPU, ATTN_BACKEND_CUDA};
#else
  return {ATTN_BACKEND_CPU};
#endif
}

inline const char* name_of(attn_backend_t backend) { return backend == ATTN_BACKEND_CUDA ? "cuda" : "cpu"; }

// Names of tests whose parameter is a backend.
inline std::string backend_name(const testing::TestParamInfo<attn_backend_t>& info) { return name_of(info.param); }

// Of those whose parameter is a backend and a shape that prints.
template <class Shape>
std::string shape_name(const testing::TestParamInfo<std::tuple<attn_backend_t, Shape>>& info) {
  return std::string(name_of(std::get<0>(info.param))) + "_" + testing::PrintToString(std::get<1>(info.param));
}

}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// What the encoder needs of oneDNN beside its primitives.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/failure.h"

namespace attn::internal::cpu {

// Such as "oneDNN 2.6.3", of the library in use.
const char* onednn_version();

// Runs `body`, whose oneDNN errors become Failures.
template <class Body>
auto with_onednn(const Body& body) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw Failure(ATTN_OUT_OF_MEMORY, "oneDNN: out of memory");
    throw Failure(ATTN_LIBRARY_ERROR, std::string("oneDNN: ") + error.what());
  }
}

// Runs a primitive; unlike dnnl::primitive::execute() without allocating. Every computation of oneDNN goes through this
// function or gemm(): they keep signal handlers off this thread while it computes, see signals.h. The block is per task,
// not per call: threads inherit the mask of the thread that creates them, so OpenMP must not start its threads while
// signals are blocked.
void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, const dnnl_exec_arg_t* arguments, int count);

template <int count>
void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, const dnnl_exec_arg_t (&arguments)[count]) {
  execute(primitive, stream, arguments, count);
}

// A row-major matrix, read transposed if so marked.
struct Matrix {
  const float* data;
  std::int64_t stride;  // from row to row as stored
  bool transposed = false;
};

// c [M, N] = a [M, K] b [K, N], added to c where `accumulate`.
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, Matrix a, Matrix b, float* c, std::int64_t c_stride,
          bool accumulate);

// Memory objects that share one buffer of the caller, bound anew at each call.
class BoundMemory {
 public:
  explicit BoundMemory(const dnnl::engine& engine) : engine_(engine) {}
  dnnl::memory add(const dnnl::memory::desc& desc);
  std::size_t bytes() const { return bytes_; }
  void bind(void* buffer);

 private:
  dnnl::engine engine_;
  std::size_t bytes_ = 0;
  std::vector<std::pair<dnnl::memory, std::size_t>> slots_;  // with their offsets
};

}  // namespace attn::internal::cpu

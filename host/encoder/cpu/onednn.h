// SPDX-License-Identifier: Apache-2.0
//
// The execution of oneDNN and its matrix product.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/failure.h"

namespace attn::internal::cpu {

// The version in use, such as "oneDNN 2.6.3".
const char* onednn_version();

// Runs `body` and turns errors of oneDNN into Failures.
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
// function or gemm(): they keep signal handlers off this thread while it computes, see signals.h. The block is per
// task, not per call: threads inherit the mask of the thread that creates them, so OpenMP must not start its threads
// while signals are blocked.
void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, const dnnl_exec_arg_t* arguments, int count);

template <int count>
void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, const dnnl_exec_arg_t (&arguments)[count]) {
  execute(primitive, stream, arguments, count);
}

// A row-major matrix, or its transpose.
struct Matrix {
  const float* data;
  std::int64_t stride;  // elements between the starts of stored rows
  bool transposed = false;
};

// c [M, N] = a [M, K] b [K, N], added to c if `accumulate`.
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, Matrix a, Matrix b, float* c, std::int64_t c_stride,
          bool accumulate);

// Memory objects in one buffer of the caller, to which they are bound at each call.
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

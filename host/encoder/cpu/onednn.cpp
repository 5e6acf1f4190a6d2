// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/onednn.h"

#include "encoder/cpu/signals.h"

namespace attn::internal::cpu {

const char* onednn_version() {
  static const std::string text = [] {
    const dnnl_version_t& version = *dnnl_version();
    return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
           std::to_string(version.patch);
  }();
  return text.c_str();
}

void execute(const dnnl::primitive& primitive, const dnnl::stream& stream, const dnnl_exec_arg_t* arguments,
             int count) {
  const AsynchronousSignalsBlocked while_it_computes;
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(), count, arguments),
                          "could not execute a primitive");
}

void gemm(std::int64_t M, std::int64_t N, std::int64_t K, Matrix a, Matrix b, float* c, std::int64_t c_stride,
          bool accumulate) {
  const AsynchronousSignalsBlocked while_it_computes;
  const dnnl_status_t status = dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', M, N, K, 1.0f, a.data,
                                          a.stride, b.data, b.stride, accumulate ? 1.0f : 0.0f, c, c_stride);
  if (status != dnnl_success)
    throw Failure(ATTN_LIBRARY_ERROR, "oneDNN: matrix product failed with status " + std::to_string(status));
}

dnnl::memory BoundMemory::add(const dnnl::memory::desc& desc) {
  dnnl::memory memory(desc, engine_, DNNL_MEMORY_NONE);
  slots_.emplace_back(memory, bytes_);
  bytes_ += (desc.get_size() + 63) / 64 * 64;
  return memory;
}

void BoundMemory::bind(void* buffer) {
  for (auto& [memory, offset] : slots_) memory.set_data_handle(static_cast<char*>(buffer) + offset);
}

}  // namespace attn::internal::cpu

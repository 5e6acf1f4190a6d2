// SPDX-License-Identifier: Apache-2.0
//
// The CUDA backend: device memory and stream order. It has no kernels yet, so attention calls are refused by name.
#include "backend.h"

#include <cuda_runtime_api.h>

#include <string>

#include "api/failure.h"

namespace attn {
namespace {

void check_cuda(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // the error is reported here; it must not surface again in a later call
  throw Failure(error == cudaErrorMemoryAllocation ? ATTN_OUT_OF_MEMORY : ATTN_CUDA_ERROR,
                std::string(call) + ": " + cudaGetErrorString(error));
}

class CudaBackend final : public Backend {
 public:
  CudaBackend() {
    int devices = 0;
    check_cuda(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
    if (devices == 0) throw Failure(ATTN_CUDA_ERROR, "backend: expected a CUDA device for ATTN_BACKEND_CUDA, got none");
  }

  attn_backend_t kind() const override { return ATTN_BACKEND_CUDA; }

  void set_threads(int) override {
    throw Failure(ATTN_INVALID_ARGUMENT,
                  "handle: expected one of ATTN_BACKEND_CPU, got one of ATTN_BACKEND_CUDA, which has no threads");
  }
  int threads() const override { return 1; }
  void set_stream(void* stream) override { stream_ = static_cast<cudaStream_t>(stream); }
  void* stream() const override { return stream_; }

  void* allocate(std::size_t bytes) override {
    void* pointer = nullptr;
    check_cuda(cudaMalloc(&pointer, bytes), "cudaMalloc");
    return pointer;
  }
  void free(void* pointer) override { check_cuda(cudaFree(pointer), "cudaFree"); }
  void copy_from_host(void* destination, const void* source, std::size_t bytes) override {
    check_cuda(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  }
  void copy_to_host(void* destination, const void* source, std::size_t bytes) override {
    check_cuda(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    synchronize();
  }
  void fill_zero(void* pointer, std::size_t bytes) override {
    check_cuda(cudaMemsetAsync(pointer, 0, bytes, stream_), "cudaMemsetAsync");
  }
  void synchronize() override { check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

  std::size_t additive_workspace(const attn_additive_desc_t&, attn_pass_t) const override {
    refuse("additive attention");
  }
  void additive_forward(const attn_additive_desc_t&, const attn_additive_forward_args_t&, void*) override {
    refuse("additive attention");
  }
  void additive_backward(const attn_additive_desc_t&, const attn_additive_backward_args_t&, void*) override {
    refuse("additive attention");
  }
  std::size_t pooling_workspace(const attn_pooling_desc_t&, attn_pass_t) const override { refuse("attention pooling"); }
  void pooling_forward(const attn_pooling_desc_t&, const attn_pooling_forward_args_t&, void*) override {
    refuse("attention pooling");
  }
  void pooling_backward(const attn_pooling_desc_t&, const attn_pooling_backward_args_t&, void*) override {
    refuse("attention pooling");
  }

 private:
  [[noreturn]] static void refuse(const std::string& what) {
    throw Failure(ATTN_UNSUPPORTED,
                  "handle: expected one of ATTN_BACKEND_CPU for " + what + ", got one of ATTN_BACKEND_CUDA");
  }

  cudaStream_t stream_ = nullptr;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend() { return std::make_unique<CudaBackend>(); }

}  // namespace attn

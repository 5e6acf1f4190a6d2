// SPDX-License-Identifier: Apache-2.0
//
// The CUDA backend: device memory, a stream and the fused kernels of attention.h.
#include "cuda/backend.h"

#include "cuda/attention.h"
#include "cuda/check.h"
#include "cuda/feed.h"

namespace attn::internal {
namespace {

class CudaBackend final : public Backend {
 public:
  CudaBackend() {
    int devices = 0;
    cuda::check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
    if (devices == 0) throw Failure(ATTN_CUDA_ERROR, "backend: expected a CUDA device for ATTN_BACKEND_CUDA, got none");
    int device = 0;
    cuda::check(cudaGetDevice(&device), "cudaGetDevice");
    cudaDeviceProp properties{};
    cuda::check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    device_name_ = std::string(properties.name) + " (sm_" + std::to_string(properties.major) +
                   std::to_string(properties.minor) + ")";
  }

  attn_backend_t kind() const override { return ATTN_BACKEND_CUDA; }
  const std::string& device_name() const override { return device_name_; }

  void set_threads(int) override {
    throw Failure(ATTN_INVALID_ARGUMENT,
                  "handle: expected one of ATTN_BACKEND_CPU, got one of ATTN_BACKEND_CUDA, which has no threads");
  }
  int threads() const override { return 1; }
  void set_stream(void* stream) override { stream_ = static_cast<cudaStream_t>(stream); }
  void* stream() const override { return stream_; }

  void* allocate(std::size_t bytes) override {
    void* pointer = nullptr;
    cuda::check(cudaMalloc(&pointer, bytes), "cudaMalloc");
    return pointer;
  }
  void free(void* pointer) override { cuda::check(cudaFree(pointer), "cudaFree"); }
  void copy_from_host(void* destination, const void* source, std::size_t bytes) override {
    cuda::check(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  }
  void copy_to_host(void* destination, const void* source, std::size_t bytes) override {
    cuda::check(cudaMemcpyAsync(destination, source, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    synchronize();
  }
  void fill_zero(void* pointer, std::size_t bytes) override {
    cuda::check(cudaMemsetAsync(pointer, 0, bytes, stream_), "cudaMemsetAsync");
  }
  void synchronize() override { cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

  std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int slots) override { return cuda::make_feed(bytes, slots); }

  std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) const override {
    return cuda::additive_workspace(desc, pass);
  }
  void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args,
                        void* workspace) override {
    cuda::additive_forward(desc, args, workspace, stream_);
  }
  void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args,
                         void* workspace) override {
    cuda::additive_backward(desc, args, workspace, stream_);
  }

  std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) const override {
    return cuda::pooling_workspace(desc, pass);
  }
  void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args,
                       void* workspace) override {
    cuda::pooling_forward(desc, args, workspace, stream_);
  }
  void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args,
                        void* workspace) override {
    cuda::pooling_backward(desc, args, workspace, stream_);
  }

 private:
  cudaStream_t stream_ = nullptr;
  std::string device_name_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend() { return std::make_unique<CudaBackend>(); }

}  // namespace attn::internal

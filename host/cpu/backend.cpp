// SPDX-License-Identifier: Apache-2.0
//
// The CPU backend: host memory, OpenMP threads and the attentions of attention.h.
#include "cpu/backend.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/failure.h"
#include "base/parallel.h"
#include "cpu/attention.h"
#include "cpu/feed.h"

namespace attn::internal {
namespace {

class CpuBackend final : public Backend {
 public:
  attn_backend_t kind() const override { return ATTN_BACKEND_CPU; }
  const std::string& device_name() const override { return device_name_; }

  void set_threads(int threads) override { threads_ = threads; }
  int threads() const override { return threads_; }
  void set_stream(void*) override {
    throw Failure(ATTN_INVALID_ARGUMENT,
                  "handle: expected one of ATTN_BACKEND_CUDA, got one of ATTN_BACKEND_CPU, which has no stream");
  }
  void* stream() const override { return nullptr; }

  void* allocate(std::size_t bytes) override {
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    void* pointer = std::aligned_alloc(kAlignment, rounded);
    if (pointer == nullptr)
      throw Failure(ATTN_OUT_OF_MEMORY, "bytes: expected what the host can give, got " + std::to_string(bytes));
    return pointer;
  }
  void free(void* pointer) override { std::free(pointer); }
  void copy_from_host(void* destination, const void* source, std::size_t bytes) override {
    std::memcpy(destination, source, bytes);
  }
  void copy_to_host(void* destination, const void* source, std::size_t bytes) override {
    std::memcpy(destination, source, bytes);
  }
  void fill_zero(void* pointer, std::size_t bytes) override { std::memset(pointer, 0, bytes); }
  void synchronize() override {}

  std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int slots) override {
    cpu::CpuFeedSlots::Memory memory(allocate(bytes * static_cast<std::size_t>(slots)), std::free);
    return std::make_unique<cpu::CpuFeedSlots>(std::move(memory), bytes);
  }

  std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) const override {
    return cpu::additive_workspace(desc, pass);
  }
  void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args,
                        void* workspace) override {
    cpu::additive_forward(desc, args, workspace, threads_);
  }
  void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args,
                         void* workspace) override {
    cpu::additive_backward(desc, args, workspace, threads_);
  }

  std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) const override {
    return cpu::pooling_workspace(desc, pass);
  }
  void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args,
                       void* workspace) override {
    cpu::pooling_forward(desc, args, workspace, threads_);
  }
  void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args,
                        void* workspace) override {
    cpu::pooling_backward(desc, args, workspace, threads_);
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  int threads_ = std::min(omp_get_max_threads(), most_threads());
  std::string device_name_ = std::string("CPU (") + cpu::target_name() + ")";
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
//
// C++17 wrapper of attn_cuda.h: RAII owners of handles and memory, exceptions instead of statuses. Header only.
//
// The arguments, shapes and rules of each call are documented in attn_cuda.h. All classes can be moved but not copied.
// A Handle must outlive everything created with it.
#ifndef ATTN_CUDA_ATTN_CUDA_HPP
#define ATTN_CUDA_ATTN_CUDA_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "attn_cuda/attn_cuda.h"

namespace attn {

// A failed call. what() reads "<status>: <argument>: expected <rule>, got <value>".
class Error : public std::runtime_error {
 public:
  explicit Error(attn_status_t status)
      : std::runtime_error(std::string(attn_status_string(status)) + ": " + attn_last_error()), status_(status) {}
  attn_status_t status() const noexcept { return status_; }

 private:
  attn_status_t status_;
};

// Throws Error if the status is not ATTN_SUCCESS. Use it around calls of the C API that have no wrapper.
inline void check(attn_status_t status) {
  if (status != ATTN_SUCCESS) throw Error(status);
}

// Owns an attn_handle_t.
class Handle {
 public:
  explicit Handle(attn_backend_t backend = ATTN_BACKEND_CPU) {
    attn_handle_t handle = nullptr;
    check(attn_create(&handle, backend));
    handle_.reset(handle);
  }

  attn_handle_t get() const noexcept { return handle_.get(); }

  attn_backend_t backend() const {
    attn_backend_t backend{};
    check(attn_get_backend(get(), &backend));
    return backend;
  }
  std::string device_name() const {
    const char* name = nullptr;
    check(attn_get_device_name(get(), &name));
    return name;
  }
  void set_threads(int threads) { check(attn_set_threads(get(), threads)); }
  int threads() const {
    int threads = 0;
    check(attn_get_threads(get(), &threads));
    return threads;
  }
  void set_stream(void* stream) { check(attn_set_stream(get(), stream)); }
  void synchronize() const { check(attn_synchronize(get())); }

 private:
  struct Destroy {
    void operator()(attn_handle_t handle) const noexcept { attn_destroy(handle); }
  };
  std::unique_ptr<attn_handle, Destroy> handle_;
};

// Owns an array in the memory of the handle's backend. T is float or, for 16-bit storage, any type of that size:
// __half, __nv_bfloat16, std::uint16_t.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable<T>::value, "a buffer holds plain values");

 public:
  Buffer() = default;
  // `size` elements, not initialised.
  Buffer(const Handle& handle, std::size_t size) : memory_(nullptr, Free{handle.get()}), size_(size) {
    void* pointer = nullptr;
    check(attn_allocate(handle.get(), size * sizeof(T), &pointer));
    memory_.reset(static_cast<T*>(pointer));
  }
  Buffer(const Handle& handle, const std::vector<T>& values) : Buffer(handle, values.size()) { upload(values); }
  Buffer(const Handle& handle, std::initializer_list<T> values) : Buffer(handle, std::vector<T>(values)) {}

  T* data() const noexcept { return memory_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return size_ * sizeof(T); }

  // Copies `values`, at most size() of them, to the start of the array.
  void upload(const std::vector<T>& values) {
    if (values.size() > size_)
      throw std::invalid_argument("values: expected at most " + std::to_string(size_) + ", got " +
                                  std::to_string(values.size()));
    if (!values.empty())
      check(attn_copy_from_host(memory_.get_deleter().handle, data(), values.data(), values.size() * sizeof(T)));
  }
  std::vector<T> download() const { return download(size_); }
  // Copies the first `count` elements, at most size(), to the host.
  std::vector<T> download(std::size_t count) const {
    if (count > size_)
      throw std::invalid_argument("count: expected at most " + std::to_string(size_) + ", got " +
                                  std::to_string(count));
    std::vector<T> values(count);
    if (count > 0) check(attn_copy_to_host(memory_.get_deleter().handle, values.data(), data(), count * sizeof(T)));
    return values;
  }
  void fill_zero() {
    if (size_ > 0) check(attn_fill_zero(memory_.get_deleter().handle, data(), bytes()));
  }

 private:
  struct Free {
    attn_handle_t handle = nullptr;
    void operator()(T* pointer) const noexcept { attn_free(handle, pointer); }
  };
  std::unique_ptr<T, Free> memory_;
  std::size_t size_ = 0;
};

namespace detail {

// The calls of one attention mechanism for one shape. Owns a workspace that suffices for both passes and fills in
// struct_size.
template <class Desc, class ForwardArgs, class BackwardArgs, auto WorkspaceSize, auto Forward, auto Backward>
class Mechanism {
 public:
  void forward(ForwardArgs args) {
    args.struct_size = sizeof args;
    check(Forward(handle_->get(), &desc_, &args, workspace_.data(), workspace_.size()));
  }
  void backward(BackwardArgs args) {
    args.struct_size = sizeof args;
    check(Backward(handle_->get(), &desc_, &args, workspace_.data(), workspace_.size()));
  }

 protected:
  Mechanism(const Handle& handle, const Desc& desc) : handle_(&handle), desc_(desc) {
    desc_.struct_size = sizeof desc_;
    std::size_t forward_bytes = 0;
    std::size_t backward_bytes = 0;
    check(WorkspaceSize(handle.get(), &desc_, ATTN_PASS_FORWARD, &forward_bytes));
    check(WorkspaceSize(handle.get(), &desc_, ATTN_PASS_BACKWARD, &backward_bytes));
    workspace_ = Buffer<std::byte>(handle, std::max(forward_bytes, backward_bytes));
  }

  const Handle* handle_;
  Desc desc_;

 private:
  Buffer<std::byte> workspace_;
};

}  // namespace detail

struct AdditiveShape {
  std::int64_t B, Q, T, A, D;
};

// attn_additive_forward and attn_additive_backward for one shape.
class AdditiveAttention
    : public detail::Mechanism<attn_additive_desc_t, attn_additive_forward_args_t, attn_additive_backward_args_t,
                               attn_additive_workspace_size, attn_additive_forward, attn_additive_backward> {
 public:
  AdditiveAttention(const Handle& handle, const AdditiveShape& shape, attn_dtype_t dtype = ATTN_DTYPE_FP32)
      : Mechanism(handle, {0, dtype, shape.B, shape.Q, shape.T, shape.A, shape.D}) {}
};

struct PoolingShape {
  std::int64_t B, T, D;
};

// attn_pooling_forward and attn_pooling_backward for one shape.
class AttentionPooling
    : public detail::Mechanism<attn_pooling_desc_t, attn_pooling_forward_args_t, attn_pooling_backward_args_t,
                               attn_pooling_workspace_size, attn_pooling_forward, attn_pooling_backward> {
 public:
  AttentionPooling(const Handle& handle, const PoolingShape& shape, attn_dtype_t dtype = ATTN_DTYPE_FP32)
      : Mechanism(handle, {0, dtype, shape.B, shape.T, shape.D}) {}
};

}  // namespace attn

#endif

// SPDX-License-Identifier: Apache-2.0
//
// Keeps track of the handles that exist, so that a pointer which is not one of them is rejected.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "cublas/status.h"

namespace vgpu::cublas {

template <class Handle>
class Handles {
 public:
  Handle* add(std::unique_ptr<Handle> handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Handle* key = handle.get();
    all_[key] = std::move(handle);
    return key;
  }
  Handle& at(Handle* handle, cublasStatus_t otherwise = CUBLAS_STATUS_NOT_INITIALIZED) {
    const std::lock_guard<std::mutex> lock(mutex_);
    require(all_.count(handle) != 0, otherwise);
    return *handle;
  }
  void remove(Handle* handle) {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.erase(handle);
  }

 private:
  std::mutex mutex_;
  std::map<Handle*, std::unique_ptr<Handle>> all_;
};

// The object is never destroyed, so that static objects of the program can still use their handles.
template <class Handle>
Handles<Handle>& handles() {
  static auto* all = new Handles<Handle>;
  return *all;
}

}  // namespace vgpu::cublas

// SPDX-License-Identifier: Apache-2.0
//
// The objects that programs hold pointers to. A pointer to an object that was never created or was destroyed is
// rejected, whereas the real library would dereference it.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "cudnn/status.h"

namespace vgpu::cudnn {

template <typename Object>
class Registered {
 public:
  static Object* add(std::unique_ptr<Object> object) {
    const std::lock_guard<std::mutex> lock(self().mutex_);
    Object* address = object.get();
    self().objects_.emplace(address, std::move(object));
    return address;
  }

  static Object& at(const Object* address, const char* what) {
    const std::lock_guard<std::mutex> lock(self().mutex_);
    const auto found = self().objects_.find(address);
    require(found != self().objects_.end(), what);
    return *found->second;
  }

  // Null is ignored, as in the real library.
  static void remove(const Object* address, const char* what) {
    const std::lock_guard<std::mutex> lock(self().mutex_);
    require(address == nullptr || self().objects_.erase(address) == 1, what);
  }

 private:
  // The object is never destroyed, so that static objects of the program can still destroy their descriptors.
  static Registered& self() {
    static Registered& all = *new Registered;
    return all;
  }

  std::mutex mutex_;
  std::unordered_map<const Object*, std::unique_ptr<Object>> objects_;
};

// The body of the create functions of the API.
template <typename Object>
cudnnStatus_t create(Object** to) noexcept {
  return outcome_of([&] {
    require(to != nullptr, "where to put what is created");
    may_fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
    *to = Registered<Object>::add(std::make_unique<Object>());
  });
}

}  // namespace vgpu::cudnn

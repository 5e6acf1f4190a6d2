// SPDX-License-Identifier: Apache-2.0
//
// What programs hold pointers to. A pointer to what was never made, or is gone, is refused; the real library would follow it.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "cudnn/status.h"

namespace vgpu::cudnn {

template <typename Object>
class Living {
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

  // Null is nothing, as the real library has it.
  static void remove(const Object* address, const char* what) {
    const std::lock_guard<std::mutex> lock(self().mutex_);
    require(address == nullptr || self().objects_.erase(address) == 1, what);
  }

 private:
  // Never destroyed: static objects of the program may still let go of theirs.
  static Living& self() {
    static Living& all = *new Living;
    return all;
  }

  std::mutex mutex_;
  std::unordered_map<const Object*, std::unique_ptr<Object>> objects_;
};

// A create function of the API.
template <typename Object>
cudnnStatus_t create(Object** to) noexcept {
  return outcome_of([&] {
    require(to != nullptr, "where to put what is created");
    may_fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
    *to = Living<Object>::add(std::make_unique<Object>());
  });
}

}  // namespace vgpu::cudnn

// SPDX-License-Identifier: Apache-2.0
//
// The opaque objects of a type that are alive, so that one already destroyed is refused without touching its memory.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "api/validate.h"

namespace attn {

template <class Object>
class Living {
 public:
  // For messages: the name of the arguments that point at them, and the call that makes them.
  Living(const char* name, const char* maker) : name_(name), maker_(maker) {}

  Object* add(std::unique_ptr<Object> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_.insert(object.get());
    return object.release();
  }

  Object& at(Object* object) const {
    require_pointer(name_, object);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (objects_.count(object) == 0) refuse();
    return *object;
  }

  // Null is none and stays.
  void destroy(Object* object) {
    if (object == nullptr) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (objects_.erase(object) == 0) refuse();
    }
    delete object;
  }

 private:
  [[noreturn]] void refuse() const {
    reject(name_, std::string("one made by ") + maker_ + " and not destroyed", "another pointer");
  }

  const char *name_, *maker_;
  mutable std::mutex mutex_;
  std::unordered_set<const Object*> objects_;
};

}  // namespace attn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/fork.h"
#include "base/validate.h"

namespace attn::internal {

// The live opaque objects of one type, such as handles. A pointer to a destroyed object is rejected without touching
// its memory.
template <class Object>
class ObjectRegistry {
 public:
  // For error messages: the argument that points at such an object, and the function that creates one.
  // The registry must exist until the process ends.
  ObjectRegistry(const char* argument, const char* creator) : argument_(argument), creator_(creator) {
    hold_during_fork(mutex_);
  }

  Object* add(std::unique_ptr<Object> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_.insert(object.get());
    return object.release();
  }

  Object& at(Object* object) const {
    require_pointer(argument_, object);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (objects_.count(object) == 0) reject_object();
    return *object;
  }

  // Does nothing for a null pointer.
  void destroy(Object* object) {
    if (object == nullptr) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (objects_.erase(object) == 0) reject_object();
    }
    delete object;
  }

 private:
  [[noreturn]] void reject_object() const {
    reject(argument_, std::string("one made by ") + creator_ + " and not destroyed", "another pointer");
  }

  const char *argument_, *creator_;
  mutable std::mutex mutex_;
  std::unordered_set<const Object*> objects_;
};

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
//
// The opaque objects that are alive, so that one already destroyed is refused without touching its memory.
#pragma once

#include <mutex>
#include <unordered_set>

namespace attn {

class LiveSet {
 public:
  void insert(const void* object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_.insert(object);
  }
  // False where it was not alive.
  bool erase(const void* object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return objects_.erase(object) == 1;
  }
  bool contains(const void* object) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return objects_.count(object) == 1;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_set<const void*> objects_;
};

}  // namespace attn

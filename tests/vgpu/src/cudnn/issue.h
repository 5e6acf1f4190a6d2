// SPDX-License-Identifier: Apache-2.0
//
// Submits work to the stream of a handle.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "cudart/vgpu.h"
#include "cudnn/handle.h"

namespace vgpu::cudnn {

// The ranges that the work reads and writes; a null pointer is ignored.
class Ranges {
 public:
  void read(const void* address, std::size_t bytes) { add(address, bytes, 0); }
  void write(void* address, std::size_t bytes) { add(address, bytes, 1); }
  void update(void* address, std::size_t bytes) { add(address, bytes, 2); }
  const std::vector<vgpu_range_t>& all() const { return all_; }

 private:
  void add(const void* address, std::size_t bytes, int written) {
    if (address != nullptr) all_.push_back({address, bytes, written});
  }
  std::vector<vgpu_range_t> all_;
};

// Returns the host address of the bytes, which must be in a range of the running work.
std::byte* host(const void* address, std::size_t bytes);

void issue(const cudnnContext& context, const Ranges& ranges, const char* name, void (*run)(void*),
           void (*release)(void*), void* work);

// Work::run() is called when the stream executes the work.
template <typename Work>
void issue(const cudnnContext& context, const Ranges& ranges, Work work) {
  issue(
      context, ranges, Work::kName, [](void* one) { static_cast<Work*>(one)->run(); },
      [](void* one) { delete static_cast<Work*>(one); }, new Work(std::move(work)));
}

}  // namespace vgpu::cudnn

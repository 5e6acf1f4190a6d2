// SPDX-License-Identifier: Apache-2.0
//
// Measures calls on the CUDA device: times on a real GPU, counters on the virtual GPU, whose times would mean nothing.
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <string>

#include "bench/roofline.h"

namespace attn::bench {

enum class Cache { cold, warm };

class Gpu {
 public:
  Gpu();  // throws std::runtime_error if there is no device
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const std::string& name() const { return name_; }
  bool is_virtual() const { return name_.rfind("Virtual GPU", 0) == 0; }
  const Peak& peak() const { return peak_; }

  // The time of one call on the default stream, in seconds. With a cold L2 cache, other data of twice its size has
  // passed through the cache before; with a warm one, the same call has just run.
  double seconds(Call& call, Cache cache);

  // The counters of one call on the virtual GPU, by the names of tests/vgpu/src/exec/counters.h; pipes as in "warp_fma".
  std::map<std::string, double> counts(Call& call);

 private:
  std::string name_;
  Peak peak_{};
  cudaEvent_t start_ = nullptr, stop_ = nullptr;
  void* other_ = nullptr;
  std::size_t other_bytes_ = 0;
};

}  // namespace attn::bench

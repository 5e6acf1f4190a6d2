// SPDX-License-Identifier: Apache-2.0
//
// Measures calls on the CUDA device: times on a GPU, counters on the virtual GPU, which has no times.
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <string>

#include "bench/roofline.h"

namespace attn::bench {

enum class Cache { cold, warm };

class Gpu {
 public:
  Gpu();  // throws std::runtime_error where there is none
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const std::string& name() const { return name_; }
  bool is_virtual() const { return name_.rfind("Virtual GPU", 0) == 0; }
  const Peak& peak() const { return peak_; }

  // The time of one call on the default stream. Cold L2 cache: after other data of twice its size passed through it.
  // Warm: after the same call.
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

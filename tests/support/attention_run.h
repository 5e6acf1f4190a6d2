// SPDX-License-Identifier: Apache-2.0
//
// What the parity tests of both attentions share: guarded tensors, handles, and the instruction sets to run on.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "support/guarded_buffer.h"

namespace attn::test {

struct RunOptions {
  int threads = 2;
  int misalignment = 0;
  bool weights = true;    // forward writes them, backward gets them
  bool d_weights = true;  // backward gets a gradient of the weights
  int skipped = -1;       // the one gradient not wanted, in the order of the arguments
  bool fenced = false;    // inputs end at a page that may not be read
};

// An input that ends right before a page which may not be read; the NaN it ends with stand in that page.
class FencedInput {
 public:
  explicit FencedInput(const std::vector<float>& values) {
    const auto last = std::find_if(values.rbegin(), values.rend(), [](float value) { return !std::isnan(value); });
    const auto readable = static_cast<std::size_t>(values.rend() - last) * sizeof(float);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t open = (readable + page - 1) / page * page;
    bytes_ = open + (values.size() * sizeof(float) / page + 1) * page;
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(memory_) + open - readable;
    if (readable > 0) std::memcpy(data_, values.data(), readable);
    if (mprotect(static_cast<std::byte*>(memory_) + open, bytes_ - open, PROT_NONE) != 0) throw std::bad_alloc();
  }
  ~FencedInput() { munmap(memory_, bytes_); }
  FencedInput(const FencedInput&) = delete;
  FencedInput& operator=(const FencedInput&) = delete;

  const float* data() const { return reinterpret_cast<const float*>(data_); }

 private:
  void* memory_;
  std::size_t bytes_;
  std::byte* data_;
};

// Guarded tensors of one call, each a little differently aligned, and whether all guards still stand.
class Tensors {
 public:
  explicit Tensors(const RunOptions& options) : options_(options) {}

  const float* in(const std::vector<float>& values) {
    if (!options_.fenced) return add(std::make_unique<GuardedBuffer>(values, next()));
    fenced_.push_back(std::make_unique<FencedInput>(values));
    return fenced_.back()->data();
  }
  float* out(std::int64_t size) { return add(std::make_unique<GuardedBuffer>(size, next())); }
  void* workspace(std::size_t bytes) {
    return add(std::make_unique<GuardedBuffer>(static_cast<std::int64_t>((bytes + 3) / 4), 0));
  }

  std::vector<float> values(const float* tensor) const {
    for (const auto& buffer : buffers_)
      if (buffer->data() == tensor) return buffer->values();
    return {};
  }

  void expect_intact() const {
    for (const auto& buffer : buffers_) EXPECT_TRUE(buffer->intact());
  }

 private:
  float* add(std::unique_ptr<GuardedBuffer> buffer) {
    buffers_.push_back(std::move(buffer));
    return buffers_.back()->data();
  }
  int next() {
    return options_.misalignment == 0 ? 0 : (options_.misalignment + 3 * static_cast<int>(buffers_.size())) % 16;
  }

  RunOptions options_;
  std::vector<std::unique_ptr<FencedInput>> fenced_;
  std::vector<std::unique_ptr<GuardedBuffer>> buffers_;
};

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline std::vector<float> slice(const std::vector<float>& values, std::int64_t first, std::int64_t count) {
  return {values.begin() + first, values.begin() + first + count};
}

// Runs `body` on each instruction set that this machine and this build of the library have.
inline void on_each_instruction_set(const std::function<void()>& body) {
  for (std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    ASSERT_STREQ(attn_cpu_target(), hwy::TargetName(target)) << "the library did not follow";
    SCOPED_TRACE(attn_cpu_target());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace attn::test

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
  attn_backend_t backend = ATTN_BACKEND_CPU;
  int threads = 2;  // of the CPU
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

inline Handle make_handle(const RunOptions& options) {
  Handle handle(options.backend);
  if (options.backend == ATTN_BACKEND_CPU) handle.set_threads(options.threads);
  return handle;
}

// Guarded tensors of one call in the memory of a handle, each a little differently aligned, and whether all guards still
// stand. On a device a fenced input is an allocation of its own that ends with it.
class Tensors {
 public:
  Tensors(const Handle& handle, const RunOptions& options) : handle_(&handle), options_(options) {}

  const float* in(const std::vector<float>& values) {
    if (!options_.fenced) return add(GuardedBuffer(values, next()));
    if (on_device()) return upload_exactly(values);
    fenced_.push_back(std::make_unique<FencedInput>(values));
    return fenced_.back()->data();
  }
  float* out(std::int64_t size) { return add(GuardedBuffer(size, next())); }
  void* workspace(std::size_t bytes) { return add(GuardedBuffer(static_cast<std::int64_t>((bytes + 3) / 4), 0)); }
  const std::int32_t* lengths(const std::vector<std::int32_t>& values) {
    if (values.empty()) return nullptr;
    lengths_.emplace_back(*handle_, values);
    return lengths_.back().data();
  }

  // What stands in a tensor made by in() or out().
  std::vector<float> values(const float* tensor) {
    for (Guarded& guarded : guarded_)
      if (guarded.tensor == tensor) {
        fetch(guarded);
        return guarded.host->values();
      }
    return {};
  }

  void expect_intact() {
    for (Guarded& guarded : guarded_) {
      fetch(guarded);
      EXPECT_TRUE(guarded.host->intact());
    }
  }

 private:
  struct Guarded {
    std::unique_ptr<GuardedBuffer> host;
    Buffer<float> device;  // a copy of all of it, guards too; empty on the CPU
    float* tensor;
  };

  bool on_device() const { return options_.backend == ATTN_BACKEND_CUDA; }

  float* add(GuardedBuffer&& made) {
    Guarded guarded{std::make_unique<GuardedBuffer>(std::move(made)), {}, nullptr};
    guarded.tensor = guarded.host->data();
    if (on_device()) {
      // Shifted, so that the copy stands as the original does against boundaries of 64 bytes.
      std::vector<float> image(guarded.host->past_line());
      image.insert(image.end(), guarded.host->memory().begin(), guarded.host->memory().end());
      guarded.device = Buffer<float>(*handle_, image);
      guarded.tensor = guarded.device.data() + guarded.host->past_line() + guarded.host->offset();
    }
    guarded_.push_back(std::move(guarded));
    return guarded_.back().tensor;
  }

  void fetch(Guarded& guarded) const {
    if (!on_device()) return;
    const std::vector<float> image = guarded.device.download();
    std::copy(image.begin() + static_cast<std::ptrdiff_t>(guarded.host->past_line()), image.end(),
              guarded.host->memory().begin());
  }

  // All but the NaN at the end.
  const float* upload_exactly(const std::vector<float>& values) {
    const auto last = std::find_if(values.rbegin(), values.rend(), [](float value) { return !std::isnan(value); });
    exact_.emplace_back(*handle_, std::vector<float>(values.begin(), last.base()));
    return exact_.back().data();
  }

  int next() {
    return options_.misalignment == 0 ? 0 : (options_.misalignment + 3 * static_cast<int>(guarded_.size())) % 16;
  }

  const Handle* handle_;
  RunOptions options_;
  std::vector<std::unique_ptr<FencedInput>> fenced_;
  std::vector<Buffer<float>> exact_;
  std::vector<Buffer<std::int32_t>> lengths_;
  std::vector<Guarded> guarded_;
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

// SPDX-License-Identifier: Apache-2.0
//
// Code shared by the parity tests of both attention mechanisms: guarded tensors, handles, and the instruction sets to
// run on.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "base/target_name.h"
#include "support/backends.h"
#include "support/guarded_buffer.h"
#include "support/storage.h"

namespace attn::test {

struct RunOptions {
  attn_backend_t backend = ATTN_BACKEND_CPU;
  attn_dtype_t dtype = ATTN_DTYPE_FP32;
  int threads = 2;        // on the CPU
  int misalignment = 0;   // of the tensors, in elements; 0 leaves them aligned
  bool weights = true;    // whether forward writes the weights and backward is given them
  bool d_weights = true;  // whether backward is given a gradient of the weights
  int skipped = -1;       // index of the gradient that is not requested, in argument order; -1 for none
  bool fenced = false;    // whether inputs end at an unreadable page
};

inline RunOptions on(const Target& target) {
  RunOptions options;
  options.backend = target.backend;
  options.dtype = target.dtype;
  return options;
}

template <class Case>
void expect_same_bits_on_any_threads(const Case& given, RunOptions options) {
  options.threads = 1;
  const auto one = run(given, options);
  for (int threads : {1, 2, 3, 2}) {
    options.threads = threads;
    SCOPED_TRACE(threads);
    expect_same_bits(run(given, options), one);
  }
}

// Memory whose bytes end right before unreadable pages, which cover at least `guard` bytes.
class FencedInput {
 public:
  FencedInput(const std::vector<std::byte>& bytes, std::size_t guard) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t open = (bytes.size() + page - 1) / page * page;
    bytes_ = open + (guard / page + 1) * page;
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(memory_) + open - bytes.size();
    if (!bytes.empty()) std::memcpy(data_, bytes.data(), bytes.size());
    if (mprotect(static_cast<std::byte*>(memory_) + open, bytes_ - open, PROT_NONE) != 0) throw std::bad_alloc();
  }
  ~FencedInput() { munmap(memory_, bytes_); }
  FencedInput(const FencedInput&) = delete;
  FencedInput& operator=(const FencedInput&) = delete;

  const std::byte* data() const { return data_; }

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

// The guarded tensors of one call, in the memory of a handle. Each has a different alignment, and expect_intact()
// checks all guards. A fenced input excludes its trailing NaN: on the CPU they would lie in unreadable pages, on a
// device they lie outside the allocation. There each fenced input, and the workspace, is an allocation of its own, so
// that accesses out of bounds are detected.
class Tensors {
 public:
  Tensors(const Handle& handle, const RunOptions& options) : handle_(&handle), options_(options) {}

  const void* in(const std::vector<float>& values, attn_dtype_t dtype) {
    if (!options_.fenced) return add(GuardedMemory(encode(dtype, values), next(dtype)), dtype);
    const auto last = std::find_if(values.rbegin(), values.rend(), [](float value) { return !std::isnan(value); });
    const std::vector<std::byte> readable = encode(dtype, {values.begin(), last.base()});
    if (on_device()) {
      exact_.emplace_back(*handle_, readable);
      return exact_.back().data();
    }
    fenced_.push_back(std::make_unique<FencedInput>(readable, values.size() * sizeof(float)));
    return fenced_.back()->data();
  }
  void* out(std::int64_t size, attn_dtype_t dtype) {
    return add(GuardedMemory(static_cast<std::size_t>(size) * storage_of(dtype).size, next(dtype)), dtype);
  }
  // The same with fp32 storage.
  const float* in(const std::vector<float>& values) { return static_cast<const float*>(in(values, ATTN_DTYPE_FP32)); }
  float* out(std::int64_t size) { return static_cast<float*>(out(size, ATTN_DTYPE_FP32)); }

  void* workspace(std::size_t bytes) {
    if (!options_.fenced || !on_device()) return add(GuardedMemory(bytes), ATTN_DTYPE_FP32);
    exact_.emplace_back(*handle_, bytes);
    return exact_.back().data();
  }
  const std::int32_t* lengths(const std::vector<std::int32_t>& values) {
    if (values.empty()) return nullptr;
    lengths_.emplace_back(*handle_, values);
    return lengths_.back().data();
  }

  // The contents of a tensor made by in() or out(); empty for any other pointer.
  std::vector<float> values(const void* tensor) {
    for (Guarded& guarded : guarded_)
      if (guarded.tensor == tensor) {
        fetch(guarded);
        return decode(guarded.dtype, guarded.host->bytes());
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
    std::unique_ptr<GuardedMemory> host;
    Buffer<std::byte> device;  // a copy of `host` including its guards; empty on the CPU
    void* tensor;
    attn_dtype_t dtype;
  };

  bool on_device() const { return options_.backend == ATTN_BACKEND_CUDA; }

  void* add(GuardedMemory&& made, attn_dtype_t dtype) {
    Guarded guarded{std::make_unique<GuardedMemory>(std::move(made)), {}, nullptr, dtype};
    guarded.tensor = guarded.host->data();
    if (on_device()) {
      // Padded in front, so that the copy has the same offset from a 64-byte boundary as the original.
      std::vector<std::byte> image(guarded.host->past_line());
      image.insert(image.end(), guarded.host->memory().begin(), guarded.host->memory().end());
      guarded.device = Buffer<std::byte>(*handle_, image);
      guarded.tensor = guarded.device.data() + guarded.host->past_line() + guarded.host->offset();
    }
    guarded_.push_back(std::move(guarded));
    return guarded_.back().tensor;
  }

  void fetch(Guarded& guarded) const {
    if (!on_device()) return;
    const std::vector<std::byte> image = guarded.device.download();
    std::copy(image.begin() + static_cast<std::ptrdiff_t>(guarded.host->past_line()), image.end(),
              guarded.host->memory().begin());
  }

  // The offset of the next tensor from a 64-byte boundary, in bytes; it differs from tensor to tensor.
  int next(attn_dtype_t dtype) const {
    const int size = static_cast<int>(storage_of(dtype).size);
    return options_.misalignment == 0
               ? 0
               : (options_.misalignment + 3 * static_cast<int>(guarded_.size())) % (64 / size) * size;
  }

  const Handle* handle_;
  RunOptions options_;
  std::vector<std::unique_ptr<FencedInput>> fenced_;
  std::vector<Buffer<std::byte>> exact_;
  std::vector<Buffer<std::int32_t>> lengths_;
  std::vector<Guarded> guarded_;
};

// The errors of a call's results as multiples of the errors of plain loops. Prints them, and accepts at most 2, or 6 for
// results in fp32, where the error of tanh is visible: it is accurate to a few units in the last place of 1, that of
// plain loops to one of its own.
class Ratios {
 public:
  explicit Ratios(attn_dtype_t dtype) : dtype_(dtype) { line_.precision(2); }
  void add(const char* name, double ratio) { add(name, ratio, dtype_); }
  // For a result of another type than the tensors.
  void add(const char* name, double ratio, attn_dtype_t dtype) {
    EXPECT_LE(ratio, dtype == ATTN_DTYPE_FP32 ? 6 : 2) << name << ": error as a multiple of that of plain loops";
    line_ << "  " << name << ' ' << ratio;
  }
  ~Ratios() { std::printf("  errors to those of plain loops:%s\n", line_.str().c_str()); }
  Ratios(const Ratios&) = delete;
  Ratios& operator=(const Ratios&) = delete;

 private:
  attn_dtype_t dtype_;
  std::ostringstream line_;
};

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline std::vector<float> slice(const std::vector<float>& values, std::int64_t first, std::int64_t count) {
  return {values.begin() + first, values.begin() + first + count};
}

// Whether two tensors have the same bits except in elements first to end - 1, all of which are NaN in b.
inline bool same_outside(const std::vector<float>& a, const std::vector<float>& b, std::int64_t first,
                         std::int64_t end) {
  const auto count = static_cast<std::int64_t>(a.size());
  const std::vector<float> inside = slice(b, first, end - first);
  return same_bits(slice(a, 0, first), slice(b, 0, first)) &&
         same_bits(slice(a, end, count - end), slice(b, end, count - end)) &&
         std::all_of(inside.begin(), inside.end(), [](float value) { return std::isnan(value); });
}

// Runs `body` with each instruction set that both this machine and this build of the library support.
inline void on_each_instruction_set(const std::function<void()>& body) {
  for (std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    ASSERT_STREQ(attn_cpu_target(), internal::usual_target_name(hwy::TargetName(target)))
        << "the library did not follow";
    SCOPED_TRACE(attn_cpu_target());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace attn::test

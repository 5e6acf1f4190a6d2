// SPDX-License-Identifier: Apache-2.0
#include "base/fp32_copies.h"

#include <algorithm>

#include "base/convert.h"
#include "base/parallel.h"

namespace attn::internal {
namespace {

constexpr std::int64_t kSlice = 1 << 14;  // elements per task, large enough that scheduling costs little

// Calls body(Format()) with the 16-bit format of `dtype`.
template <class Body>
void with_format(attn_dtype_t dtype, const Body& body) {
  dtype == ATTN_DTYPE_FP16 ? body(Fp16()) : body(Bf16());
}

}  // namespace

template <class First, class Valid>
const float* Fp32Copies::widen(const void* tensor, std::int64_t blocks, std::int64_t block_size, const First& first,
                               const Valid& valid) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<const float*>(tensor);
  float* const copy = allocator_.allocate<float>(blocks * block_size);
  if (copy == nullptr || tensor == nullptr) return nullptr;

  const auto* const bits = static_cast<const std::uint16_t*>(tensor);
  const std::int64_t slices = divide_up(block_size, kSlice);
  with_format(dtype_, [&](auto format) {
    parallel_for(threads_, blocks * slices, [&](std::int64_t task) {
      const std::int64_t block = task / slices, begin = task % slices * kSlice;
      const std::int64_t end = first(block) + std::min(begin + kSlice, valid(block));
#pragma omp simd
      for (std::int64_t i = first(block) + begin; i < end; ++i) copy[i] = format.widen(bits[i]);
    });
  });
  return copy;
}

const float* Fp32Copies::input(const void* tensor, std::int64_t count) {
  return widen(
      tensor, 1, count, [](std::int64_t) { return 0; }, [=](std::int64_t) { return count; });
}

const float* Fp32Copies::key_input(const void* tensor, std::int64_t width) {
  return widen(
      tensor, B_, keys_.T * width, [=](std::int64_t b) { return keys_.first(b) * width; },
      [=](std::int64_t b) { return keys_.valid(b) * width; });
}

const float* Fp32Copies::pair_input(const void* tensor, std::int64_t rows) {
  return widen(
      tensor, B_ * rows, keys_.T, [=](std::int64_t row) { return row * keys_.T; },
      [=](std::int64_t row) { return keys_.valid(row / rows); });
}

float* Fp32Copies::add_output(void* tensor, std::int64_t capacity, std::int64_t count) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<float*>(tensor);
  float* const copy = allocator_.allocate<float>(capacity);
  if (copy == nullptr || tensor == nullptr) return nullptr;
  outputs_[output_count_++] = {copy, static_cast<std::uint16_t*>(tensor), count};
  return copy;
}

void Fp32Copies::round_outputs() const {
  with_format(dtype_, [&](auto format) {
    for (std::size_t n = 0; n < output_count_; ++n) {
      const Output& output = outputs_[n];
      parallel_for_slices(threads_, output.count, kSlice, [&](std::int64_t begin, std::int64_t end) {
#pragma omp simd
        for (std::int64_t i = begin; i < end; ++i) output.tensor[i] = format.round(output.copy[i]);
      });
    }
  });
}

}  // namespace attn::internal

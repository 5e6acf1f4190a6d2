// SPDX-License-Identifier: Apache-2.0
#include "cpu/twins.h"

#include <algorithm>

#include "cpu/convert.h"
#include "cpu/parallel.h"

namespace attn::cpu {
namespace {

constexpr std::int64_t kPiece = 1 << 14;  // elements of a task: far more work than handing it out

// Calls body(Format()) with the 16-bit format of `dtype`.
template <class Body>
void with_format(attn_dtype_t dtype, const Body& body) {
  dtype == ATTN_DTYPE_FP16 ? body(Fp16()) : body(Bf16());
}

}  // namespace

template <class First, class Valid>
const float* Twins::widened(const void* tensor, std::int64_t blocks, std::int64_t size, const First& first,
                            const Valid& valid) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<const float*>(tensor);
  float* const twin = carver_.take<float>(blocks * size);
  if (twin == nullptr || tensor == nullptr) return nullptr;

  const auto* const bits = static_cast<const std::uint16_t*>(tensor);
  const std::int64_t pieces = divide_up(size, kPiece);
  with_format(dtype_, [&](auto format) {
    parallel_for(threads_, blocks * pieces, [&](std::int64_t task) {
      const std::int64_t block = task / pieces, begin = task % pieces * kPiece;
      const std::int64_t end = first(block) + std::min(begin + kPiece, valid(block));
#pragma omp simd
      for (std::int64_t at = first(block) + begin; at < end; ++at) twin[at] = format.widen(bits[at]);
    });
  });
  return twin;
}

const float* Twins::in(const void* tensor, std::int64_t count) {
  return widened(
      tensor, 1, count, [](std::int64_t) { return 0; }, [=](std::int64_t) { return count; });
}

const float* Twins::in_keys(const void* tensor, std::int64_t width) {
  return widened(
      tensor, B_, keys_.T * width, [=](std::int64_t b) { return keys_.first(b) * width; },
      [=](std::int64_t b) { return keys_.valid(b) * width; });
}

const float* Twins::in_pairs(const void* tensor, std::int64_t rows) {
  return widened(
      tensor, B_ * rows, keys_.T, [=](std::int64_t row) { return row * keys_.T; },
      [=](std::int64_t row) { return keys_.valid(row / rows); });
}

float* Twins::rounded_from(void* tensor, std::int64_t most, std::int64_t count) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<float*>(tensor);
  float* const twin = carver_.take<float>(most);
  if (twin == nullptr || tensor == nullptr) return nullptr;
  outputs_[output_count_++] = {twin, static_cast<std::uint16_t*>(tensor), count};
  return twin;
}

void Twins::round() const {
  with_format(dtype_, [&](auto format) {
    for (std::size_t n = 0; n < output_count_; ++n) {
      const Output& output = outputs_[n];
      parallel_for(threads_, divide_up(output.count, kPiece), [&](std::int64_t piece) {
        const std::int64_t end = std::min((piece + 1) * kPiece, output.count);
#pragma omp simd
        for (std::int64_t at = piece * kPiece; at < end; ++at) output.bits[at] = format.round(output.twin[at]);
      });
    }
  });
}

}  // namespace attn::cpu

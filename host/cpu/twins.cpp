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

const float* Twins::widened(const void* tensor, const Shape& shape, const std::int32_t* lengths) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<const float*>(tensor);
  const std::int64_t size = shape.T * shape.width, blocks = shape.B * shape.rows;
  float* const twin = carver_.take<float>(blocks * size);
  if (twin == nullptr || tensor == nullptr) return nullptr;

  const auto* const bits = static_cast<const std::uint16_t*>(tensor);
  const std::int64_t pieces = divide_up(size, kPiece);
  with_format(dtype_, [&](auto format) {
    parallel_for(threads_, blocks * pieces, [&](std::int64_t task) {
      const std::int64_t block = task / pieces, begin = task % pieces * kPiece;
      const std::int64_t valid = valid_keys(lengths, block / shape.rows, shape.T) * shape.width;
      const std::int64_t end = block * size + std::min(begin + kPiece, valid);
#pragma omp simd
      for (std::int64_t at = block * size + begin; at < end; ++at) twin[at] = format.widen(bits[at]);
    });
  });
  return twin;
}

float* Twins::out(void* tensor, std::int64_t count) {
  if (dtype_ == ATTN_DTYPE_FP32) return static_cast<float*>(tensor);
  float* const twin = carver_.take<float>(count);
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "cpu/carver.h"

namespace attn::cpu {

// Makes a call in fp32 of one in 16-bit storage: its tensors get twins in the workspace, which are filled from the inputs
// and, after the call, rounded to the outputs. In fp32 storage every tensor is its own twin and takes no place.
//
// Made from a null workspace it only counts. A null tensor has no twin but keeps its place: what a workspace needs does
// not depend on which tensors are wanted.
class Twins {
 public:
  Twins(attn_dtype_t dtype, const std::int32_t* lengths, void* workspace, int threads)
      : dtype_(dtype), lengths_(lengths), workspace_(workspace), threads_(threads), carver_(workspace) {}

  const float* in(const void* tensor, std::int64_t count) { return widened(tensor, {1, 1, count, 1}, nullptr); }
  // Of a tensor [B, rows, T, width] of positions or weights; those behind the lengths are not read.
  const float* in(const void* tensor, std::int64_t B, std::int64_t rows, std::int64_t T, std::int64_t width) {
    return widened(tensor, {B, rows, T, width}, lengths_);
  }
  float* out(void* tensor, std::int64_t count);

  // What is left of the workspace, for the call in fp32.
  void* rest() const { return static_cast<std::byte*>(workspace_) + bytes(); }
  std::size_t bytes() const { return carver_.bytes(); }

  // Rounds what stands in the twins of outputs.
  void round() const;

 private:
  struct Shape {
    std::int64_t B, rows, T, width;
  };
  struct Output {
    const float* twin;    // [count]
    std::uint16_t* bits;  // [count]
    std::int64_t count;
  };

  const float* widened(const void* tensor, const Shape& shape, const std::int32_t* lengths);

  attn_dtype_t dtype_;
  const std::int32_t* lengths_;  // [B] or null
  void* workspace_;
  int threads_;
  Carver carver_;
  std::array<Output, 4> outputs_{};  // as many as a pass has
  std::size_t output_count_ = 0;
};

}  // namespace attn::cpu

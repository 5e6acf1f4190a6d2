// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "cpu/carver.h"
#include "cpu/split.h"

namespace attn::cpu {

// Makes a call in fp32 of one in 16-bit storage: its tensors get twins in the workspace, which are filled from the inputs
// and, after the call, rounded to the outputs. In fp32 storage every tensor is its own twin and takes no place.
//
// Made from a null workspace it only counts. A null tensor has no twin but keeps its place: what a workspace needs does
// not depend on which tensors are wanted.
class Twins {
 public:
  Twins(attn_dtype_t dtype, std::int64_t B, const Keys& keys, void* workspace, int threads)
      : dtype_(dtype), B_(B), keys_(keys), workspace_(workspace), threads_(threads), carver_(workspace) {}

  // The twin of an input: without keys, [count]; with a row for each key, [B, T, width] or packed; with a number for each
  // pair of a row and a key, [B, rows, T]. What stands behind the valid keys is not read.
  const float* in(const void* tensor, std::int64_t count);
  const float* in_keys(const void* tensor, std::int64_t width);
  const float* in_pairs(const void* tensor, std::int64_t rows);

  // Of an output, likewise; all of it is to be written.
  float* out(void* tensor, std::int64_t count) { return rounded_from(tensor, count, count); }
  float* out_keys(void* tensor, std::int64_t width) {
    return rounded_from(tensor, B_ * keys_.T * width, keys_.first(B_) * width);
  }

  // What is left of the workspace, for the call in fp32.
  void* rest() const { return static_cast<std::byte*>(workspace_) + bytes(); }
  std::size_t bytes() const { return carver_.bytes(); }

  // Rounds what stands in the twins of outputs.
  void round() const;

 private:
  struct Output {
    const float* twin;    // [count]
    std::uint16_t* bits;  // [count]
    std::int64_t count;
  };

  // The twin, of which block n has the elements from first(n) on, valid(n) <= size of them.
  template <class First, class Valid>
  const float* widened(const void* tensor, std::int64_t blocks, std::int64_t size, const First& first,
                       const Valid& valid);
  // A twin with room for `most` elements.
  float* rounded_from(void* tensor, std::int64_t most, std::int64_t count);

  attn_dtype_t dtype_;
  std::int64_t B_;
  Keys keys_;
  void* workspace_;
  int threads_;
  Carver carver_;
  std::array<Output, 4> outputs_{};  // as many as a pass has
  std::size_t output_count_ = 0;
};

}  // namespace attn::cpu

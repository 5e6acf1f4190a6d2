// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "attn_cuda/attn_cuda.h"
#include "base/key_rows.h"
#include "base/layout.h"

namespace attn::internal {

// Turns a call on tensors in 16-bit storage into a call on fp32 copies in its workspace: inputs are widened when they
// are added, outputs are rounded after the call. In fp32 storage every tensor is used in place and takes no workspace.
//
// Constructed from a null workspace, it only adds up the bytes needed. A null tensor has no copy but the same amount of
// workspace: the size of a workspace does not depend on which outputs are wanted.
class Fp32Copies {
 public:
  Fp32Copies(attn_dtype_t dtype, std::int64_t B, const KeyRows& keys, void* workspace, int threads)
      : dtype_(dtype), B_(B), keys_(keys), workspace_(workspace), threads_(threads), allocator_(workspace) {}

  // The fp32 copy of an input of `count` elements; of one with a row per key, [B, T, width] or packed; of one with an
  // element per pair of a row and a key, [B, rows, T]. Padding is not read.
  const float* input(const void* tensor, std::int64_t count);
  const float* key_input(const void* tensor, std::int64_t width);
  const float* pair_input(const void* tensor, std::int64_t rows);

  // The fp32 copy of an output likewise. The call must write all of it.
  float* output(void* tensor, std::int64_t count) { return add_output(tensor, count, count); }
  float* key_output(void* tensor, std::int64_t width) {
    return add_output(tensor, B_ * keys_.T * width, keys_.first(B_) * width);
  }

  // The rest of the workspace, for the call on the copies.
  void* remaining_workspace() const { return static_cast<std::byte*>(workspace_) + bytes(); }
  std::size_t bytes() const { return allocator_.bytes(); }

  void round_outputs() const;

 private:
  struct Output {
    const float* copy;      // [count]
    std::uint16_t* tensor;  // [count]
    std::int64_t count;
  };

  // Widens a tensor of blocks, of which block n has valid(n) <= block_size elements from first(n) on.
  template <class First, class Valid>
  const float* widen(const void* tensor, std::int64_t blocks, std::int64_t block_size, const First& first,
                     const Valid& valid);
  // `capacity` elements of workspace for an output of `count` <= capacity elements.
  float* add_output(void* tensor, std::int64_t capacity, std::int64_t count);

  attn_dtype_t dtype_;
  std::int64_t B_;
  KeyRows keys_;
  void* workspace_;
  int threads_;
  WorkspaceAllocator allocator_;
  std::array<Output, 4> outputs_{};  // no pass has more
  std::size_t output_count_ = 0;
};

}  // namespace attn::internal

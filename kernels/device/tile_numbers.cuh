// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace attn::kernels {

// One number for each pair of a tile, in shared memory: scores or exponentials. Groups of eight keys are permuted, so that
// the threads of a warp can read pairs of four rows (context_tile.cuh) without bank conflicts.
template <int kRows, int kKeys>
struct TileNumbers {
  float values[kRows][kKeys];

  __device__ static int place(int row, int key) { return key ^ (row & 3) * 8; }
  __device__ float& at(int row, int key) { return values[row][place(row, key)]; }
  __device__ float at(int row, int key) const { return values[row][place(row, key)]; }
  __device__ float2 two(int row, int key) const {
    return *reinterpret_cast<const float2*>(&values[row][place(row, key)]);
  }
};

}  // namespace attn::kernels

// SPDX-License-Identifier: Apache-2.0
#include "cublas/multiply.h"

#include <algorithm>
#include <cstring>

#include "exec/instructions/vector_loop.h"

namespace vgpu::cublas {
namespace {

// So much of A stays in the second-level cache while all of B passes by.
constexpr std::size_t kDepth = 256, kStripes = 16;

// As many as fit a vector register of AVX2; without it, two registers each.
using Lanes = double __attribute__((vector_size(32)));
constexpr std::size_t kLanesOfTile = sizeof(Lanes) / sizeof(double);
constexpr std::size_t kHalves = kRows / kLanesOfTile;

struct Tile {
  // Adds the products of the elements for k from `a` and `b` on to the tile.
  __attribute__((always_inline)) static inline void run(const double* a, const double* b, std::size_t depth,
                                                        double* tile) {
    Lanes sums[kColumns][kHalves];
    std::memcpy(sums, tile, sizeof sums);
    for (std::size_t k = 0; k < depth; ++k) {
      Lanes rows[kHalves];
      std::memcpy(rows, a + k * kRows, sizeof rows);
      for (std::size_t column = 0; column < kColumns; ++column)
        for (std::size_t half = 0; half < kHalves; ++half) sums[column][half] += rows[half] * b[k * kColumns + column];
    }
    std::memcpy(tile, sums, sizeof sums);
  }
};

}  // namespace

void multiply(const Packed& a, const Packed& b, Tiles& sum) {
  const auto add = ForThisMachine<Tile, const double*, const double*, std::size_t, double*>::best();
  for (std::size_t k = 0; k < a.depth(); k += kDepth) {
    const std::size_t depth = std::min(kDepth, a.depth() - k);
    for (std::size_t first = 0; first < a.stripes(); first += kStripes) {
      const std::size_t end = std::min(first + kStripes, a.stripes());
      for (std::size_t across = 0; across < b.stripes(); ++across)
        for (std::size_t down = first; down < end; ++down)
          add(a.stripe(down) + k * kRows, b.stripe(across) + k * kColumns, depth, sum.tile(down, across));
    }
  }
}

}  // namespace vgpu::cublas

// SPDX-License-Identifier: Apache-2.0
#include "cublas/multiply.h"

#include <algorithm>
#include <cstring>

#include "exec/instructions/vector_loop.h"

namespace vgpu::cublas {
namespace {

// A block of A of this size stays in the L2 cache while B is streamed.
constexpr std::size_t kDepth = 256, kStripes = 16;

// The number of doubles in an AVX2 register; without AVX2 two registers are used.
using Lanes = double __attribute__((vector_size(32)));
constexpr std::size_t kLanesOfTile = sizeof(Lanes) / sizeof(double);
constexpr std::size_t kHalves = kRows / kLanesOfTile;

struct Tile {
  // Accumulates the products of the elements at `a` and `b` over k. The sums stay in registers only if the compiler
  // unrolls these loops before it allocates registers.
  __attribute__((always_inline)) static inline void run(const double* a, const double* b, std::size_t depth,
                                                        double* tile) {
    Lanes sums[kColumns][kHalves];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kColumns * kHalves; ++i)
      std::memcpy(&sums[i / kHalves][i % kHalves], tile + i * kLanesOfTile, sizeof(Lanes));
    for (std::size_t k = 0; k < depth; ++k) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kColumns * kHalves; ++i) {
        Lanes rows;
        std::memcpy(&rows, a + k * kRows + i % kHalves * kLanesOfTile, sizeof rows);
        sums[i / kHalves][i % kHalves] += rows * b[k * kColumns + i / kHalves];
      }
    }
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kColumns * kHalves; ++i)
      std::memcpy(tile + i * kLanesOfTile, &sums[i / kHalves][i % kHalves], sizeof(Lanes));
  }
};

}  // namespace

void multiply(const Packed& a, const Packed& b, Tiles& sum) {
  const auto add = ForThisMachine<Tile, const double*, const double*, std::size_t, double*>::best();
  for (std::size_t k = 0; k < a.depth(); k += kDepth) {
    const std::size_t depth = std::min(kDepth, a.depth() - k);
    for (std::size_t first = 0; first < a.panels(); first += kStripes) {
      const std::size_t end = std::min(first + kStripes, a.panels());
      for (std::size_t across = 0; across < b.panels(); ++across)
        for (std::size_t down = first; down < end; ++down)
          add(a.panel(down) + k * kRows, b.panel(across) + k * kColumns, depth, sum.tile(down, across));
    }
  }
}

}  // namespace vgpu::cublas

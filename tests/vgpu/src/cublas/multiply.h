// SPDX-License-Identifier: Apache-2.0
//
// Matrix products in double precision. Each element is summed in the order of k on every machine and for every shape,
// so the same factors give the same bits.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cublas {

// A factor packed for the inner loops: panels of some rows of A, or columns of B, in which the elements for one k are
// adjacent. The last panel is padded with zeros.
class Packed {
 public:
  Packed(std::size_t lines, std::size_t depth, std::size_t panel)
      : panel_(panel), depth_(depth), values_((lines + panel - 1) / panel * panel * depth) {}

  double& at(std::size_t line, std::size_t k) { return values_[(line / panel_ * depth_ + k) * panel_ + line % panel_]; }
  const double* panel(std::size_t index) const { return values_.data() + index * depth_ * panel_; }
  std::size_t panels() const { return depth_ == 0 ? 0 : values_.size() / (depth_ * panel_); }
  std::size_t depth() const { return depth_; }

 private:
  std::size_t panel_, depth_;
  std::vector<double> values_;
};

constexpr std::size_t kRows = 8, kColumns = 4;  // of a tile; also the widths of the panels of the factors

// The product A B, stored as tiles.
class Tiles {
 public:
  Tiles(std::size_t rows, std::size_t columns)
      : across_((columns + kColumns - 1) / kColumns),
        values_((rows + kRows - 1) / kRows * across_ * kRows * kColumns) {}

  double at(std::size_t row, std::size_t column) const {
    return values_[((row / kRows * across_ + column / kColumns) * kColumns + column % kColumns) * kRows + row % kRows];
  }
  double* tile(std::size_t down, std::size_t across) {
    return values_.data() + (down * across_ + across) * kRows * kColumns;
  }

 private:
  std::size_t across_;
  std::vector<double> values_;
};

// Adds the product to `sum`. `a` has panels of kRows rows, `b` has panels of kColumns columns.
void multiply(const Packed& a, const Packed& b, Tiles& sum);

}  // namespace vgpu::cublas

// SPDX-License-Identifier: Apache-2.0
//
// Products of matrices in double precision. Every element is summed in the order of k, whatever the machine and the shape, so
// the same factors give the same bits.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cublas {

// A factor as the loops read it: stripes of some rows of A, or columns of B, each stripe with its elements for one k side by
// side. Where the matrix ends within a stripe, the rest is zero.
class Packed {
 public:
  Packed(std::size_t lines, std::size_t depth, std::size_t stripe)
      : stripe_(stripe), depth_(depth), values_((lines + stripe - 1) / stripe * stripe * depth) {}

  double& at(std::size_t line, std::size_t k) {
    return values_[(line / stripe_ * depth_ + k) * stripe_ + line % stripe_];
  }
  const double* stripe(std::size_t index) const { return values_.data() + index * depth_ * stripe_; }
  std::size_t stripes() const { return depth_ == 0 ? 0 : values_.size() / (depth_ * stripe_); }
  std::size_t depth() const { return depth_; }

 private:
  std::size_t stripe_, depth_;
  std::vector<double> values_;
};

constexpr std::size_t kRows = 8, kColumns = 4;  // of a tile; the stripes of the factors

// A times B, kept as tiles.
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

// Adds the product; a has stripes of kRows, b of kColumns.
void multiply(const Packed& a, const Packed& b, Tiles& sum);

}  // namespace vgpu::cublas

// SPDX-License-Identifier: Apache-2.0
#include "cudnn/product.h"

#include <algorithm>
#include <cmath>

namespace vgpu::cudnn {
namespace {

// A tile stays in registers, and the operands of a slab of this depth stay in the caches.
constexpr std::size_t kRows = 4, kColumns = 4, kDepth = 128;

template <std::size_t Rows, std::size_t Columns>
void add_tile(std::size_t columns, std::size_t depth, MatrixView left, const double* right, double* to) {
  double sums[Rows][Columns];
  for (std::size_t i = 0; i < Rows; ++i) {
    for (std::size_t j = 0; j < Columns; ++j) sums[i][j] = to[i * columns + j];
  }
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t i = 0; i < Rows; ++i) {
      const double factor = left.data[i * left.row_step + k * left.column_step];
      for (std::size_t j = 0; j < Columns; ++j) sums[i][j] += factor * right[k * columns + j];
    }
  }
  for (std::size_t i = 0; i < Rows; ++i) {
    for (std::size_t j = 0; j < Columns; ++j) to[i * columns + j] = sums[i][j];
  }
}

void add_slab(std::size_t rows, std::size_t columns, std::size_t depth, MatrixView left, const double* right,
              double* to) {
  for (std::size_t column = 0; column < columns;) {
    const bool wide = columns - column >= kColumns;
    for (std::size_t row = 0; row < rows;) {
      const bool tall = rows - row >= kRows;
      const MatrixView part{left.data + row * left.row_step, left.row_step, left.column_step};
      const auto add = tall ? (wide ? add_tile<kRows, kColumns> : add_tile<kRows, 1>)
                            : (wide ? add_tile<1, kColumns> : add_tile<1, 1>);
      add(columns, depth, part, right + column, to + row * columns + column);
      row += tall ? kRows : 1;
    }
    column += wide ? kColumns : 1;
  }
}

std::vector<double> rounded_to_tf32(const double* matrix, std::size_t size) {
  std::vector<double> result(size);
  std::transform(matrix, matrix + size, result.begin(), [](double number) { return cudnn::rounded_to_tf32(number); });
  return result;
}

}  // namespace

void add_product(std::size_t rows, std::size_t columns, std::size_t depth, MatrixView left, const double* right,
                 double* to, bool tf32) {
  if (tf32) {
    const std::vector<double> own_left = rounded_to_tf32(left.data, rows * depth);
    const std::vector<double> own_right = rounded_to_tf32(right, depth * columns);
    return add_product(rows, columns, depth, {own_left.data(), left.row_step, left.column_step}, own_right.data(), to);
  }
  for (std::size_t first = 0; first < depth; first += kDepth) {
    const MatrixView part{left.data + first * left.column_step, left.row_step, left.column_step};
    add_slab(rows, columns, std::min(kDepth, depth - first), part, right + first * columns, to);
  }
}

double rounded_to_tf32(double number) {
  if (!std::isfinite(number)) return number;
  int exponent = 0;
  const double mantissa = std::frexp(number, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 11)), exponent - 11);
}

std::vector<double> transposed(std::size_t rows, std::size_t columns, const double* matrix) {
  std::vector<double> result(rows * columns);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column)
      result[column * rows + row] = matrix[row * columns + column];
  }
  return result;
}

}  // namespace vgpu::cudnn

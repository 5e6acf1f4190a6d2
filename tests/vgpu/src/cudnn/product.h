// SPDX-License-Identifier: Apache-2.0
//
// The matrix product that the computations of the LSTM are based on.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cudnn {

// A matrix with elements data[row * row_step + column * column_step]; the transpose swaps the steps.
struct MatrixView {
  const double* data;
  std::size_t row_step, column_step;
};

// to[rows, columns] += left[rows, depth] * right[depth, columns]; each sum runs in the order of depth. With tf32
// both factors are rounded to the eleven significant bits of TF32.
void add_product(std::size_t rows, std::size_t columns, std::size_t depth, MatrixView left, const double* right,
                 double* to, bool tf32 = false);

double rounded_to_tf32(double number);

std::vector<double> transposed(std::size_t rows, std::size_t columns, const double* matrix);

}  // namespace vgpu::cudnn

// SPDX-License-Identifier: Apache-2.0
//
// The one product of matrices that an LSTM is made of.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cudnn {

// A matrix read at data[row * row_step + column * column_step], so that a transpose is the same numbers with other steps.
struct MatrixView {
  const double* data;
  std::size_t row_step, column_step;
};

// to[rows, columns] += left[rows, depth] * right[depth, columns]; the order of each sum is that of depth. Both factors are
// whole matrices, and with tf32 are rounded to the eleven bits of mantissa that it has.
void add_product(std::size_t rows, std::size_t columns, std::size_t depth, MatrixView left, const double* right,
                 double* to, bool tf32 = false);

double rounded_to_tf32(double number);

std::vector<double> transposed(std::size_t rows, std::size_t columns, const double* matrix);

}  // namespace vgpu::cudnn

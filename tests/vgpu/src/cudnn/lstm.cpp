// SPDX-License-Identifier: Apache-2.0
#include "cudnn/lstm.h"

#include <algorithm>
#include <cmath>

#include "cudnn/product.h"
#include "cudnn/weight_layout.h"

namespace vgpu::cudnn {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

void Direction::forward(const double* x, States states, double* gates, double* cells, Columns h) const {
  const std::size_t hidden = weights_.hidden, width = kGates * hidden;
  for (std::size_t i = 0; i < sequences_.padded_rows(); ++i) {
    std::copy(weights_.bias.begin(), weights_.bias.end(), gates + i * width);
  }
  add_product(sequences_.padded_rows(), width, weights_.input, {x, weights_.input, 1},
              transposed(width, weights_.input, weights_.w).data(), gates, weights_.tf32);
  const std::vector<double> recurrent = transposed(width, hidden, weights_.r);
  std::vector<double> sums(sequences_.batch * width);
  for (std::size_t step = 0; step < sequences_.longest; ++step) {
    std::fill(sums.begin(), sums.end(), 0);
    add_product(sequences_.batch, width, hidden, {states.h, hidden, 1}, recurrent.data(), sums.data(), weights_.tf32);
    each_sequence(step, [&](std::size_t sequence, std::size_t row) {
      double* gate = gates + row * width;
      const double* sum = sums.data() + sequence * width;
      for (std::size_t j = 0; j < hidden; ++j) {
        const double i = sigmoid(gate[j] + sum[j]);
        const double f = sigmoid(gate[hidden + j] + sum[hidden + j]);
        const double g = std::tanh(gate[2 * hidden + j] + sum[2 * hidden + j]);
        const double o = sigmoid(gate[3 * hidden + j] + sum[3 * hidden + j]);
        gate[j] = i, gate[hidden + j] = f, gate[2 * hidden + j] = g, gate[3 * hidden + j] = o;
        double& c = states.c[sequence * hidden + j];
        c = f * c + i * g;
        cells[row * hidden + j] = c;
        h.row(row)[j] = states.h[sequence * hidden + j] = o * std::tanh(c);
      }
    });
  }
}

void Direction::backward(Columns dh, const double* first_c, double* gates, const double* cells, States derivatives,
                         double* dx) const {
  const std::size_t hidden = weights_.hidden, width = kGates * hidden;
  std::vector<double> step_gates(sequences_.batch * width), before(sequences_.batch * hidden);
  for (std::size_t step = sequences_.longest; step-- > 0;) {
    each_sequence(step, [&](std::size_t sequence, std::size_t row_here) {
      double* gate = gates + row_here * width;
      const double* previous = step == 0 ? first_c + sequence * hidden : cells + row(step - 1, sequence) * hidden;
      for (std::size_t j = 0; j < hidden; ++j) {
        const double i = gate[j], f = gate[hidden + j], g = gate[2 * hidden + j], o = gate[3 * hidden + j];
        const double t = std::tanh(cells[row_here * hidden + j]);
        const double by_h = derivatives.h[sequence * hidden + j] + dh.row(row_here)[j];
        double& by_c = derivatives.c[sequence * hidden + j];
        by_c += by_h * o * (1 - t * t);
        gate[j] = by_c * g * i * (1 - i);
        gate[hidden + j] = by_c * previous[j] * f * (1 - f);
        gate[2 * hidden + j] = by_c * i * (1 - g * g);
        gate[3 * hidden + j] = by_h * t * o * (1 - o);
        by_c *= f;
      }
      std::copy(gate, gate + width, step_gates.begin() + static_cast<std::ptrdiff_t>(sequence * width));
    });
    std::fill(before.begin(), before.end(), 0);
    add_product(sequences_.batch, hidden, width, {step_gates.data(), width, 1}, weights_.r, before.data(),
                weights_.tf32);
    each_sequence(step, [&](std::size_t sequence, std::size_t) {
      std::copy_n(before.data() + sequence * hidden, hidden, derivatives.h + sequence * hidden);
    });
  }
  for (std::size_t time = 0; time < sequences_.longest; ++time) {
    for (std::size_t sequence = 0; sequence < sequences_.batch; ++sequence) {
      if (!sequences_.holds(time, sequence))
        std::fill_n(gates + sequences_.padded_row(time, sequence) * width, width, 0);
    }
  }
  std::fill_n(dx, sequences_.padded_rows() * weights_.input, 0);
  add_product(sequences_.padded_rows(), weights_.input, width, {gates, width, 1}, weights_.w, dx, weights_.tf32);
}

void Direction::add_weight_derivatives(const double* x, const double* first_h, const double* gates, Columns h,
                                       double* dw, double* dr, double* db) const {
  const std::size_t hidden = weights_.hidden, width = kGates * hidden, rows = sequences_.padded_rows();
  std::vector<double> previous(rows * hidden);
  for (std::size_t step = 0; step < sequences_.longest; ++step) {
    each_sequence(step, [&](std::size_t sequence, std::size_t row_here) {
      const double* from = step == 0 ? first_h + sequence * hidden : h.row(row(step - 1, sequence));
      std::copy_n(from, hidden, previous.data() + row_here * hidden);
    });
  }
  add_product(width, weights_.input, rows, {gates, 1, width}, x, dw, weights_.tf32);
  add_product(width, hidden, rows, {gates, 1, width}, previous.data(), dr, weights_.tf32);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < width; ++j) db[j] += gates[i * width + j];
  }
}

}  // namespace vgpu::cudnn

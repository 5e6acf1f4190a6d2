// SPDX-License-Identifier: Apache-2.0
//
// One direction of one layer of an LSTM, forward and backward, in double precision. Rows are the padded rows of Sequences;
// those beyond the end of a sequence are never read and keep zeros.
//
//   i, f, o = sigmoid(W x + R h' + b)   g = tanh(W x + R h' + b)   c = f c' + i g   h = o tanh(c)
//
// Forward and backward share what a step is; what backward needs is the gates and cells that forward leaves.
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/sequences.h"

namespace vgpu::cudnn {

struct CellWeights {
  std::size_t input, hidden;
  const double* w;           // [4 hidden, input], rows of i, f, g, o
  const double* r;           // [4 hidden, hidden]
  std::vector<double> bias;  // [4 hidden], the sum of those there are
  bool tf32 = false;         // products take their factors in it
};

// One direction's columns in rows that both directions share.
struct Columns {
  double* data;
  std::size_t row_step;
  double* row(std::size_t index) const { return data + index * row_step; }
};

struct States {
  double *h, *c;  // [batch, hidden]
};

class Direction {
 public:
  Direction(const Sequences& sequences, const CellWeights& weights, bool reversed)
      : sequences_(sequences), weights_(weights), reversed_(reversed) {}

  // From x [rows, input] and the states before the first step: gates [rows, 4 hidden], cells [rows, hidden], h into its
  // columns; the states become those after each sequence's last step.
  void forward(const double* x, States states, double* gates, double* cells, Columns h) const;

  // `gates` become the derivatives by what the gates were computed from; dx [rows, input] is written; `first` are the states
  // before the first step; the derivatives by the states after the last step become those by the states before the first.
  void backward(Columns dh, const double* first_c, double* gates, const double* cells, States derivatives,
                double* dx) const;

  // Adds what backward's `gates` say: dw [4 hidden, input], dr [4 hidden, hidden], db [4 hidden].
  void add_weight_derivatives(const double* x, const double* first_h, const double* gates, Columns h, double* dw,
                              double* dr, double* db) const;

 private:
  std::size_t row(std::size_t step, std::size_t sequence) const {
    return sequences_.padded_row(sequences_.time_of(step, sequence, reversed_), sequence);
  }

  // Calls use(sequence, row) for each sequence that has that step.
  template <typename Use>
  void each_sequence(std::size_t step, Use&& use) const {
    for (std::size_t sequence = 0; sequence < sequences_.batch; ++sequence) {
      if (step < sequences_.lengths[sequence]) use(sequence, row(step, sequence));
    }
  }

  const Sequences& sequences_;
  const CellWeights& weights_;
  bool reversed_;
};

}  // namespace vgpu::cudnn

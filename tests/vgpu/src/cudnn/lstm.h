// SPDX-License-Identifier: Apache-2.0
//
// One direction of one layer of an LSTM, forward and backward, in double precision. Rows are the padded rows of
// Sequences; those beyond the end of a sequence are never read and remain zero.
//
//   i, f, o = sigmoid(W x + R h' + b)   g = tanh(W x + R h' + b)   c = f c' + i g   h = o tanh(c)
//
// Backward needs the gates and cells that forward stores.
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/sequences.h"

namespace vgpu::cudnn {

struct CellWeights {
  std::size_t input, hidden;
  const double* w;           // [4 hidden, input], rows of i, f, g, o
  const double* r;           // [4 hidden, hidden]
  std::vector<double> bias;  // [4 hidden], the sum of the biases that exist
  bool tf32 = false;         // factors of products are rounded to TF32
};

// The columns of one direction, within rows that both directions share.
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

  // Computes gates [rows, 4 hidden], cells [rows, hidden] and h (in its columns) from x [rows, input] and the initial
  // states, and replaces the states by those after the last step of each sequence.
  void forward(const double* x, States states, double* gates, double* cells, Columns h) const;

  // Replaces `gates` by the derivatives with respect to the gates' pre-activations, and writes dx [rows, input].
  // `first` are the initial states. The derivatives with respect to the final states are replaced by those with respect
  // to the initial states.
  void backward(Columns dh, const double* first_c, double* gates, const double* cells, States derivatives,
                double* dx) const;

  // Accumulates dw [4 hidden, input], dr [4 hidden, hidden] and db [4 hidden] from the `gates` that backward computed.
  void add_weight_derivatives(const double* x, const double* first_h, const double* gates, Columns h, double* dw,
                              double* dr, double* db) const;

 private:
  std::size_t row(std::size_t step, std::size_t sequence) const {
    return sequences_.padded_row(sequences_.time_of(step, sequence, reversed_), sequence);
  }

  // Calls use(sequence, row) for each sequence that is long enough to have this step.
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

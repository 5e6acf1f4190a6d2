// SPDX-License-Identifier: Apache-2.0
//
// Embedding, dense layer, loss and optimiser of the classifier. Formulas and shapes are in encoder.h.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/sum.h"

namespace attn::reference {

// table [V, E], ids [N]; returns [N, E].
std::vector<double> embedding_forward(std::int64_t E, const std::vector<std::int32_t>& ids,
                                      const std::vector<double>& table);
Sum embedding_backward(std::int64_t V, std::int64_t E, const std::vector<std::int32_t>& ids,
                       const std::vector<double>& d_rows);  // [V, E]

struct DenseGradient {
  Sum x, w, b;  // [B, D], [D], [1]
};

// x [B, D], w [D]; returns [B].
Sum dense_forward(std::int64_t B, std::int64_t D, const std::vector<double>& x, const std::vector<double>& w, double b);
DenseGradient dense_backward(std::int64_t B, std::int64_t D, const std::vector<double>& x, const std::vector<double>& w,
                             const std::vector<double>& d_z);

struct CrossEntropy {
  std::vector<double> losses;  // [B]
  std::vector<double> d_z;     // [B], gradient of the mean loss
};

CrossEntropy sigmoid_cross_entropy(const std::vector<double>& z, const std::vector<double>& y);

struct AdamSettings {
  double rate, beta_1, beta_2, epsilon;
};

// One step on parameters p with gradient g; m and s are the moments; step counts from 1.
void adam_step(const AdamSettings& settings, std::int64_t step, const std::vector<double>& g, std::vector<double>& p,
               std::vector<double>& m, std::vector<double>& s);

}  // namespace attn::reference

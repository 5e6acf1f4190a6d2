// SPDX-License-Identifier: Apache-2.0
#include "reference/layers.h"

#include <algorithm>
#include <cmath>

#include "reference/formulas/scaled.h"

namespace attn::reference {

std::vector<double> embedding_forward(std::int64_t E, const std::vector<std::int32_t>& ids,
                                      const std::vector<double>& table) {
  std::vector<double> rows;
  rows.reserve(ids.size() * E);
  for (std::int64_t id : ids) rows.insert(rows.end(), table.begin() + id * E, table.begin() + (id + 1) * E);
  return rows;
}

Sum embedding_backward(std::int64_t V, std::int64_t E, const std::vector<std::int32_t>& ids,
                       const std::vector<double>& d_rows) {
  std::vector<Scaled> d_table = zeros<Scaled>(V * E);
  for (std::size_t n = 0; n < ids.size(); ++n)
    for (std::int64_t e = 0; e < E; ++e) d_table[ids[n] * E + e] += Scaled(d_rows[n * E + e]);
  return to_sum(d_table);
}

Sum dense_forward(std::int64_t B, std::int64_t D, const std::vector<double>& x, const std::vector<double>& w,
                  double b) {
  std::vector<Scaled> z(B, Scaled(b));
  for (std::int64_t item = 0; item < B; ++item)
    for (std::int64_t d = 0; d < D; ++d) z[item] += Scaled(x[item * D + d]) * Scaled(w[d]);
  return to_sum(z);
}

DenseGradient dense_backward(std::int64_t B, std::int64_t D, const std::vector<double>& x, const std::vector<double>& w,
                             const std::vector<double>& d_z) {
  std::vector<Scaled> d_x = zeros<Scaled>(B * D), d_w = zeros<Scaled>(D), d_b = zeros<Scaled>(1);
  for (std::int64_t item = 0; item < B; ++item) {
    const Scaled d_item(d_z[item]);
    d_b[0] += d_item;
    for (std::int64_t d = 0; d < D; ++d) {
      d_x[item * D + d] = d_item * Scaled(w[d]);
      d_w[d] += d_item * Scaled(x[item * D + d]);
    }
  }
  return {to_sum(d_x), to_sum(d_w), to_sum(d_b)};
}

CrossEntropy sigmoid_cross_entropy(const std::vector<double>& z, const std::vector<double>& y) {
  CrossEntropy out;
  for (std::size_t i = 0; i < z.size(); ++i) {
    out.losses.push_back(std::max(z[i], 0.0) - z[i] * y[i] + std::log1p(std::exp(-std::abs(z[i]))));
    out.d_z.push_back((1 / (1 + std::exp(-z[i])) - y[i]) / static_cast<double>(z.size()));
  }
  return out;
}

void adam_step(const AdamSettings& settings, std::int64_t step, const std::vector<double>& g, std::vector<double>& p,
               std::vector<double>& m, std::vector<double>& s) {
  const auto t = static_cast<double>(step);
  const double rate = settings.rate * std::sqrt(1 - std::pow(settings.beta_2, t)) / (1 - std::pow(settings.beta_1, t));
  for (std::size_t i = 0; i < p.size(); ++i) {
    m[i] = settings.beta_1 * m[i] + (1 - settings.beta_1) * g[i];
    s[i] = settings.beta_2 * s[i] + (1 - settings.beta_2) * g[i] * g[i];
    p[i] -= rate * m[i] / (std::sqrt(s[i]) + settings.epsilon);
  }
}

}  // namespace attn::reference

// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "classifier/train/parameters.h"

namespace attn::classifier {
namespace {

std::vector<float> glorot_uniform(std::int64_t inputs, std::int64_t outputs, std::int64_t count, Random& random) {
  const double limit = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.uniform(-limit, limit));
  return values;
}

std::vector<float> normal(double deviation, std::int64_t count, Random& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
  return values;
}

// A matrix [rows, columns], rows <= columns, with orthonormal rows: random normal rows, orthogonalised by modified
// Gram-Schmidt in double. Random rows are far from linearly dependent, so one pass is exact to fp32.
std::vector<float> orthogonal(std::int64_t rows, std::int64_t columns, Random& random) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::vector<double>> basis;
  std::vector<float> values;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<double> row(width);
    for (double& value : row) value = random.normal();
    const auto subtract = [&](const std::vector<double>& other) {
      double along = 0;
      for (std::size_t c = 0; c < width; ++c) along += row[c] * other[c];
      for (std::size_t c = 0; c < width; ++c) row[c] -= along * other[c];
    };
    for (const std::vector<double>& other : basis) subtract(other);
    double norm = 0;
    for (double value : row) norm += value * value;
    norm = std::sqrt(norm);
    for (double& value : row) values.push_back(static_cast<float>(value /= norm));
    basis.push_back(std::move(row));
  }
  return values;
}

// The tensors of both directions, concatenated.
template <class Make>
std::vector<float> both_directions(Make make) {
  std::vector<float> values = make();
  const std::vector<float> backward = make();
  values.insert(values.end(), backward.begin(), backward.end());
  return values;
}

}  // namespace

void initialise(Parameters& parameters, const ModelConfig& config, Random& random) {
  const std::int64_t H = config.H;
  std::map<std::string, Tensor> tensors;
  const auto set = [&](const std::string& name, const std::vector<float>& values) {
    tensors[name] = Tensor::of(values, parameters.entry(name).shape);
  };

  std::vector<float> embedding(parameters.entry("embedding").size);
  for (float& value : embedding) value = static_cast<float>(random.uniform(-0.05, 0.05));
  set("embedding", embedding);

  set("lstm.0.kernel", both_directions([&] { return glorot_uniform(config.E, 4 * H, config.E * 4 * H, random); }));
  set("lstm.0.recurrent", both_directions([&] { return orthogonal(H, 4 * H, random); }));
  set("lstm.0.bias", both_directions([&] {
        std::vector<float> bias(static_cast<std::size_t>(4 * H), 0.0f);
        std::fill(bias.begin() + H, bias.begin() + 2 * H, 1.0f);  // gates i, f, c, o: the forget gate starts open
        return bias;
      }));

  if (config.attention == Attention::kPooling) {
    set("attention.w", normal(0.05, config.D(), random));
    set("attention.b", std::vector<float>(static_cast<std::size_t>(config.T), 0.0f));
  } else {
    set("attention.h", normal(1.0, config.query, random));
    set("attention.w_q", glorot_uniform(config.query, config.A, config.A * config.query, random));
    set("attention.w_k", glorot_uniform(config.D(), config.A, config.A * config.D(), random));
    set("attention.v", glorot_uniform(config.A, 1, config.A, random));
  }
  set("dense.w", glorot_uniform(config.D(), 1, config.D(), random));
  set("dense.b", {0.0f});
  parameters.load(tensors, "initial values");
}

}  // namespace attn::classifier

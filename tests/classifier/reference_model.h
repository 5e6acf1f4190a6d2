// SPDX-License-Identifier: Apache-2.0
//
// The whole classifier in double precision, composed of the layers of the reference.
#pragma once

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "classifier/data/encoded.h"
#include "classifier/train/parameters.h"
#include "reference/attention.h"
#include "reference/layers.h"
#include "reference/lstm.h"

namespace attn::classifier::test {

using Tensors = std::map<std::string, std::vector<double>>;  // with the names of Parameters

// Converts the parameters of `block` to double precision.
inline Tensors widened(const Parameters& block) {
  std::map<std::string, Tensor> saved;
  block.save(saved);
  Tensors tensors;
  for (const auto& [name, tensor] : saved) {
    const std::vector<float> values = tensor.values<float>(name);
    tensors[name] = std::vector<double>(values.begin(), values.end());
  }
  return tensors;
}

struct ReferenceStep {
  std::vector<double> logits, losses;  // [B]
  std::vector<double> weights;         // [B, T]
  Tensors gradient;                    // the gradient of the mean loss
};

// The indices 0, 1, ... of all reviews.
inline std::vector<std::int64_t> all_of(const EncodedReviews& reviews) {
  std::vector<std::int64_t> which(static_cast<std::size_t>(reviews.size()));
  std::iota(which.begin(), which.end(), std::int64_t{0});
  return which;
}

inline ReferenceStep reference_step(const ModelConfig& config, const Tensors& p, const EncodedReviews& reviews) {
  std::vector<std::byte> memory(Batch::bytes(reviews.size(), config.T));
  const Batch batch = make_batch(reviews, all_of(reviews), config.T, config.padding(), memory.data());
  const std::int64_t B = batch.B, T = batch.T, D = config.D();
  const std::vector<std::int32_t> ids(batch.ids, batch.ids + B * T),
      lengths(batch.lengths, batch.lengths + (config.mask ? B : 0));
  const std::vector<double> labels(batch.labels, batch.labels + B);

  const reference::LstmInput lstm{B,
                                  T,
                                  config.E,
                                  config.H,
                                  2,
                                  reference::embedding_forward(config.E, ids, p.at("embedding")),
                                  p.at("lstm.0.kernel"),
                                  p.at("lstm.0.recurrent"),
                                  p.at("lstm.0.bias"),
                                  lengths};
  const std::vector<double> y = reference::lstm_forward(lstm).value;

  reference::PoolingInput pooling{};
  reference::ProjectedInput projected{};
  std::vector<double> o, weights;
  if (config.attention == Attention::kPooling) {
    const auto& bias = p.at("attention.b");
    pooling = {B, T, D, y, p.at("attention.w"), std::vector<double>(bias.begin(), bias.begin() + T), lengths};
    const reference::PoolingOutput out = reference::pooling_forward(pooling);
    o = out.o.value;
    weights = out.weights.value;
  } else {
    projected = {B,
                 1,
                 T,
                 config.A,
                 D,
                 config.query,
                 true,
                 y,
                 p.at("attention.h"),
                 p.at("attention.w_q"),
                 p.at("attention.w_k"),
                 {},
                 p.at("attention.v"),
                 lengths};
    const reference::AdditiveOutput out = reference::projected_forward(projected);
    o = out.o.value;
    weights = out.weights.value;
  }

  ReferenceStep step;
  step.weights = weights;
  step.logits = reference::dense_forward(B, D, o, p.at("dense.w"), p.at("dense.b")[0]).value;
  const reference::CrossEntropy loss = reference::sigmoid_cross_entropy(step.logits, labels);
  step.losses = loss.losses;

  const reference::DenseGradient dense = reference::dense_backward(B, D, o, p.at("dense.w"), loss.d_z);
  step.gradient["dense.w"] = dense.w.value;
  step.gradient["dense.b"] = dense.b.value;
  std::vector<double> d_y;
  if (config.attention == Attention::kPooling) {
    const reference::PoolingGradient g = reference::pooling_backward(pooling, dense.x.value, {});
    d_y = g.x.value;
    step.gradient["attention.w"] = g.w.value;
    step.gradient["attention.b"] = g.b.value;
    step.gradient["attention.b"].resize(static_cast<std::size_t>(config.T), 0.0);
  } else {
    const reference::ProjectedGradient g = reference::projected_backward(projected, dense.x.value, {});
    d_y = g.x.value;
    step.gradient["attention.h"] = g.h.value;
    step.gradient["attention.w_q"] = g.w_q.value;
    step.gradient["attention.w_k"] = g.w_k.value;
    step.gradient["attention.v"] = g.v.value;
  }
  const reference::LstmGradient g = reference::lstm_backward(lstm, d_y);
  step.gradient["lstm.0.kernel"] = g.kernel.value;
  step.gradient["lstm.0.recurrent"] = g.recurrent.value;
  step.gradient["lstm.0.bias"] = g.bias.value;
  step.gradient["embedding"] = reference::embedding_backward(config.V, config.E, ids, g.x.value).value;
  return step;
}

}  // namespace attn::classifier::test

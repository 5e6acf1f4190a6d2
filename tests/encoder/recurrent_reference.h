// SPDX-License-Identifier: Apache-2.0
//
// The recurrent attention encoder, composed of the parts of the reference: LSTMs, dropout between them, an attention.
#pragma once

#include "attn_cuda/recurrent.h"
#include "kernels/layer_formulas.h"
#include "reference/attention.h"
#include "reference/lstm.h"

namespace attn::test {

using Vector = std::vector<double>;

struct RecurrentInput {
  attn_recurrent_desc_t desc;
  Vector x;                                  // [B, T, E]
  std::map<std::string, Vector> parameters;  // by their names in recurrent.h
  std::vector<std::int32_t> lengths;         // [B]; empty: every length is T
  std::uint64_t seed;
};

struct RecurrentOutput {
  Vector o, weights;
};

struct RecurrentGradient {
  Vector x;
  std::map<std::string, Vector> parameters;
};

class RecurrentReference {
 public:
  explicit RecurrentReference(const RecurrentInput& in) : in_(in) {
    Vector x = in.x;
    for (std::int32_t n = 0; n < in.desc.layers; ++n) {
      const std::string prefix = "lstm." + std::to_string(n);
      layers_.push_back({in.desc.B, in.desc.T, n == 0 ? in.desc.E : D(), in.desc.H, in.desc.directions, x,
                         in.parameters.at(prefix + ".kernel"), in.parameters.at(prefix + ".recurrent"),
                         in.parameters.at(prefix + ".bias"), in.lengths});
      x = reference::lstm_forward(layers_.back()).value;
      if (n + 1 < in.desc.layers) drop(x, n);
    }
    const auto p = [&](const char* name) { return in.parameters.at(name); };
    if (pooling()) {
      Vector b = p("attention.b");
      b.resize(static_cast<std::size_t>(in.desc.T));
      pooling_ = {in.desc.B, in.desc.T, D(), x, p("attention.w"), b, in.lengths};
    } else {
      projected_ = {in.desc.B,
                    in.desc.Q,
                    in.desc.T,
                    in.desc.A,
                    D(),
                    in.desc.P,
                    true,
                    x,
                    p("attention.h"),
                    p("attention.w_q"),
                    p("attention.w_k"),
                    in.desc.omit_key_bias ? Vector() : p("attention.b"),
                    p("attention.v"),
                    in.lengths};
    }
  }

  RecurrentOutput forward() const {
    if (pooling()) {
      const reference::PoolingOutput out = reference::pooling_forward(pooling_);
      return {out.o.value, out.weights.value};
    }
    const reference::AdditiveOutput out = reference::projected_forward(projected_);
    return {out.o.value, out.weights.value};
  }

  RecurrentGradient backward(const Vector& d_o, const Vector& d_weights) const {
    RecurrentGradient gradient;
    auto& parameters = gradient.parameters;
    if (pooling()) {
      const reference::PoolingGradient d = reference::pooling_backward(pooling_, d_o, d_weights);
      parameters["attention.w"] = d.w.value;
      parameters["attention.b"] = d.b.value;
      parameters["attention.b"].resize(static_cast<std::size_t>(in_.desc.positions), 0.0);
      gradient.x = d.x.value;
    } else {
      const reference::ProjectedGradient d = reference::projected_backward(projected_, d_o, d_weights);
      parameters["attention.h"] = d.h.value;
      parameters["attention.w_q"] = d.w_q.value;
      parameters["attention.w_k"] = d.w_k.value;
      if (in_.desc.omit_key_bias == 0) parameters["attention.b"] = d.b.value;
      parameters["attention.v"] = d.v.value;
      gradient.x = d.x.value;
    }
    for (std::int32_t n = in_.desc.layers; n-- > 0;) {
      if (n + 1 < in_.desc.layers) drop(gradient.x, n);
      const reference::LstmGradient d = reference::lstm_backward(layers_[static_cast<std::size_t>(n)], gradient.x);
      const std::string prefix = "lstm." + std::to_string(n);
      parameters[prefix + ".kernel"] = d.kernel.value;
      parameters[prefix + ".recurrent"] = d.recurrent.value;
      parameters[prefix + ".bias"] = d.bias.value;
      gradient.x = d.x.value;
    }
    return gradient;
  }

 private:
  bool pooling() const { return in_.desc.attention == ATTN_ATTENTION_POOLING; }
  std::int64_t D() const { return in_.desc.directions * in_.desc.H; }

  // Which elements are dropped is a definition that is tested on its own; here the choice only has to be the same.
  void drop(Vector& values, std::int32_t layer) const {
    if (in_.desc.training == 0 || in_.desc.dropout == 0) return;
    const auto mask = kernels::dropout_mask(in_.desc.dropout, in_.seed, static_cast<std::uint32_t>(layer));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (mask.words(static_cast<std::int64_t>(i / 4)).words[i % 4] < mask.threshold)
        values[i] = 0;
      else
        values[i] /= 1 - static_cast<double>(in_.desc.dropout);
  }

  const RecurrentInput& in_;
  std::vector<reference::LstmInput> layers_;
  reference::PoolingInput pooling_{};
  reference::ProjectedInput projected_{};
};

}  // namespace attn::test

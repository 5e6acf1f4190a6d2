// SPDX-License-Identifier: Apache-2.0
//
// Training steps of a classifier on the recurrent attention encoder, on the stream of a handle: forward, dense layer, loss,
// their backward passes, and Adam on one block of parameters. The reference does the same steps in double precision.
#pragma once

#include "attn_cuda/recurrent.hpp"
#include "encoder/recurrent_run.h"
#include "reference/layers.h"

namespace attn::test {

constexpr float kRate = 1e-2f, kBeta1 = 0.9f, kBeta2 = 0.999f, kEpsilon = 1e-7f;

// Two layers with dropout, and more position biases than a batch has positions.
inline attn_recurrent_desc_t trained(attn_attention_t attention) {
  return {sizeof(attn_recurrent_desc_t), ATTN_DTYPE_FP32, 4, 6, 5, 3, 2, 2, 0.25f, 1, attention, 8, 2, 7, 4, 0};
}

inline std::int64_t dense_width(const attn_recurrent_desc_t& desc) {
  return (desc.attention == ATTN_ATTENTION_POOLING ? 1 : desc.Q) * desc.directions * desc.H;
}

struct StepBatch : RecurrentCase {
  std::vector<float> labels;

  StepBatch(const attn_recurrent_desc_t& desc, const std::vector<std::int32_t>& lengths, std::uint64_t seed)
      : RecurrentCase(desc, lengths, seed), labels(Random(seed + 100).uniform(desc.B, 0, 1)) {
    input.seed = seed;
    input.parameters["dense.w"] = widen(Random(seed + 200).normal(dense_width(desc)));
    input.parameters["dense.b"] = {0.5};
  }
};

struct StepResult {
  std::vector<float> losses, parameters;

  bool same_bits_as(const StepResult& other) const {
    return same_bits(losses, other.losses) && same_bits(parameters, other.parameters);
  }
};

class TrainingStep {
 public:
  TrainingStep(const Handle& handle, const attn_recurrent_desc_t& desc)
      : handle_(&handle),
        desc_(desc),
        encoder_(handle, desc),
        width_(dense_width(desc)),
        x_(handle, static_cast<std::size_t>(desc.B * desc.T * desc.E)) {
    const std::size_t block = encoder_.block_size() + static_cast<std::size_t>(width_) + 1;
    for (Buffer<float>* all : {&p_, &g_, &m_, &s_}) *all = Buffer<float>(handle, block);
    for (Buffer<float>* rows : {&o_, &d_o_}) *rows = Buffer<float>(handle, static_cast<std::size_t>(desc.B * width_));
    for (Buffer<float>* row : {&z_, &d_z_, &labels_, &losses_})
      *row = Buffer<float>(handle, static_cast<std::size_t>(desc.B));
  }

  // Starts training from these parameters, with moments of zero.
  void start(const std::map<std::string, Vector>& parameters) {
    std::vector<float> block(p_.size());
    const auto place = [&](const std::string& name, std::size_t offset) {
      const std::vector<float> values = narrow(parameters.at(name));
      std::copy(values.begin(), values.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
    };
    for (const RecurrentParameter& parameter : encoder_.parameters())
      place(parameter.name, static_cast<std::size_t>(parameter.offset));
    place("dense.w", encoder_.block_size());
    place("dense.b", block.size() - 1);
    p_.upload(block);
    m_.fill_zero();
    s_.fill_zero();
  }

  // Copies a batch to the buffers that the next step reads.
  void load(const StepBatch& batch) {
    x_.upload(batch.x);
    labels_.upload(batch.labels);
  }

  // One step on the loaded batch, with the lengths and the seed of `batch`. `number` is the number of the step for Adam.
  void run(const StepBatch& batch, std::int64_t number) {
    const std::int32_t* const lengths = batch.input.lengths.empty() ? nullptr : batch.input.lengths.data();
    const float *dense_w = p_.data() + encoder_.block_size(), *dense_b = dense_w + width_;
    float *d_dense_w = g_.data() + encoder_.block_size(), *d_dense_b = d_dense_w + width_;
    encoder_.forward({0, x_.data(), p_.data(), lengths, batch.input.seed, o_.data(), nullptr, nullptr});
    check(attn_dense_forward(handle_->get(), desc_.B, width_, o_.data(), dense_w, dense_b, z_.data()));
    check(
        attn_sigmoid_cross_entropy(handle_->get(), desc_.B, z_.data(), labels_.data(), 1, losses_.data(), d_z_.data()));
    check(attn_dense_backward(handle_->get(), desc_.B, width_, o_.data(), dense_w, d_z_.data(), d_o_.data(), d_dense_w,
                              d_dense_b));
    encoder_.backward(
        {0, x_.data(), p_.data(), lengths, batch.input.seed, nullptr, d_o_.data(), nullptr, nullptr, g_.data()});
    const attn_adam_desc_t adam{sizeof adam, kRate, kBeta1, kBeta2, kEpsilon, number, 1, nullptr};
    check(attn_adam_step(handle_->get(), &adam, static_cast<std::int64_t>(p_.size()), g_.data(), p_.data(), m_.data(),
                         s_.data()));
  }

  StepResult result() const { return {losses_.download(), p_.download()}; }

 private:
  const Handle* handle_;
  attn_recurrent_desc_t desc_;
  RecurrentEncoder encoder_;
  std::int64_t width_;                       // the input width of the dense layer
  Buffer<float> x_;                          // [B, T, E]
  Buffer<float> p_, g_, m_, s_;              // the encoder's block, dense.w, dense.b
  Buffer<float> o_, d_o_;                    // [B, width]
  Buffer<float> z_, d_z_, labels_, losses_;  // [B]
};

// The same steps in double precision.
class ReferenceTraining {
 public:
  ReferenceTraining(const attn_recurrent_desc_t& desc, const std::map<std::string, Vector>& parameters)
      : desc_(desc), parameters_(parameters) {
    for (const auto& [name, values] : parameters) m_[name] = s_[name] = Vector(values.size(), 0.0);
  }

  // Returns the losses.
  Vector step(const StepBatch& batch, std::int64_t number) {
    RecurrentInput input = batch.input;
    input.parameters = parameters_;
    const RecurrentReference encoder(input);
    const std::int64_t width = dense_width(desc_);
    const Vector o = encoder.forward().o, &w = parameters_["dense.w"];
    const Vector z = reference::dense_forward(desc_.B, width, o, w, parameters_["dense.b"][0]).value;
    const reference::CrossEntropy loss = reference::sigmoid_cross_entropy(z, widen(batch.labels));
    const reference::DenseGradient dense = reference::dense_backward(desc_.B, width, o, w, loss.d_z);
    std::map<std::string, Vector> gradient = encoder.backward(dense.x.value, {}).parameters;
    gradient["dense.w"] = dense.w.value;
    gradient["dense.b"] = dense.b.value;
    for (auto& [name, values] : parameters_)
      reference::adam_step({kRate, kBeta1, kBeta2, kEpsilon}, number, gradient.at(name), values, m_[name], s_[name]);
    return loss.losses;
  }

 private:
  attn_recurrent_desc_t desc_;
  std::map<std::string, Vector> parameters_, m_, s_;
};

}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// The trainable tensors of a model, by name, in one block: gradients and the moments of Adam have the same layout, so
// that a step of the optimiser is one call.
//
//   embedding [V, E]
//   lstm.kernel [2, E, 4H]   lstm.recurrent [2, H, 4H]   lstm.bias [2, 4H]        gates and directions: encoder.h
//   pooling:  attention.w [D]   attention.b [T]
//   additive: attention.h [1, query]   attention.w_q [A, query]   attention.w_k [A, D]   attention.v [A]
//   dense.w [D]   dense.b [1]
#pragma once

#include <map>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "classifier/checkpoint/safetensors.h"
#include "classifier/random.h"
#include "classifier/train/config.h"

namespace attn {

class Parameters {
 public:
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::size_t offset, size;  // in the block, in floats
  };

  // All zero.
  Parameters(const Handle& handle, const ModelConfig& config);

  const std::vector<Entry>& entries() const { return entries_; }
  std::int64_t count() const { return static_cast<std::int64_t>(block_.size()); }  // of floats, with alignment gaps
  std::int64_t trainable() const;                                                  // without them

  float* block() const { return block_.data(); }
  float* operator[](const std::string& name) const { return block_.data() + entry(name).offset; }
  const Entry& entry(const std::string& name) const;

  // Copies to and from named tensors; `prefix` stands before each name. load() refuses what require_tensors() refuses;
  // `source` is for the message.
  void save(std::map<std::string, Tensor>& tensors, const std::string& prefix = "") const;
  void load(const std::map<std::string, Tensor>& tensors, const std::string& source, const std::string& prefix = "");

 private:
  ModelConfig config_;
  std::vector<Entry> entries_;
  Buffer<float> block_;
};

// Refuses tensors among which one of the model's is missing or has another shape: a check before any memory is asked for.
void require_tensors(const std::map<std::string, Tensor>& tensors, const ModelConfig& config, const std::string& source,
                     const std::string& prefix = "");

// The article's initial values: embedding uniform in +-0.05; LSTM kernels Glorot-uniform, recurrent kernels
// orthogonal, biases 0 but 1 for the forget gate (Jozefowicz, Zaremba, Sutskever, 2015); attention.w and the other
// attention tensors normal (0.05) or Glorot-uniform, attention.b zero; dense.w Glorot-uniform.
void initialise(Parameters& parameters, const ModelConfig& config, Random& random);

}  // namespace attn

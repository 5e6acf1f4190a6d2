// SPDX-License-Identifier: Apache-2.0
//
// The trainable tensors of a model in one block of memory. Gradients and the moments of Adam have the same layout, so one
// call updates all parameters.
//
//   embedding [V, E]
//   lstm.0.kernel [2, E, 4H], ...    the parameters of the encoder, named and laid out as in recurrent.h
//   dense.w [D]   dense.b [1]
#pragma once

#include <map>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "classifier/checkpoint/safetensors.h"
#include "classifier/random.h"
#include "classifier/train/config.h"

namespace attn::classifier {

struct ParameterEntry {
  std::string name;
  std::vector<std::int64_t> shape;
  std::size_t offset, size;  // in the block, in floats
};

// The layout of the block. Each tensor starts on a cache line.
struct ParameterLayout {
  std::vector<ParameterEntry> entries;
  std::size_t encoder = 0;     // offset of the encoder's block
  std::size_t block_size = 0;  // floats

  // Describes the parameters without allocating memory for them.
  explicit ParameterLayout(const ModelConfig& config);

  // The entry of that name, which must exist.
  const ParameterEntry& at(const std::string& name) const;
};

class Parameters {
 public:
  // All zero.
  Parameters(const Handle& handle, const ModelConfig& config);

  const ParameterEntry& entry(const std::string& name) const { return layout_.at(name); }
  std::int64_t count() const { return static_cast<std::int64_t>(block_.size()); }  // floats, with alignment gaps
  std::int64_t trainable() const;                                                  // floats, without them

  float* block() const { return block_.data(); }
  float* encoder() const { return block_.data() + layout_.encoder; }  // the block that attn_recurrent_* work on
  float* operator[](const std::string& name) const { return block_.data() + entry(name).offset; }

  // Copy to and from tensors named `prefix` + name. load() refuses what require_tensors() refuses, and values that
  // are not finite; `source` is for the message.
  void save(std::map<std::string, Tensor>& tensors, const std::string& prefix = "") const;
  void load(const std::map<std::string, Tensor>& tensors, const std::string& source, const std::string& prefix = "");

 private:
  ParameterLayout layout_;
  Buffer<float> block_;
};

// Throws Failure if one of the model's tensors is missing or has another shape: to be checked before a file's sizes
// decide how much memory is allocated.
void require_tensors(const std::map<std::string, Tensor>& tensors, const ModelConfig& config, const std::string& source,
                     const std::string& prefix = "");

// Files of earlier versions call the tensors of the LSTM lstm.kernel, lstm.recurrent and lstm.bias, because there could
// be only one layer. Renames them, and their moments, to the names of today.
std::map<std::string, Tensor> with_current_names(std::map<std::string, Tensor> tensors);

// Converts tensors of other floating-point types, such as other programs write, to fp32, and says so. Values that are too
// large for it become infinite, which Parameters::load() refuses.
std::map<std::string, Tensor> in_fp32(std::map<std::string, Tensor> tensors, const std::string& source);

// The article's initial values: embedding uniform in +-0.05; LSTM kernels Glorot-uniform, recurrent kernels
// orthogonal, biases 0 but 1 for the forget gate (Jozefowicz, Zaremba, Sutskever, 2015); attention.w and the other
// attention tensors normal (0.05) or Glorot-uniform, attention.b zero; dense.w Glorot-uniform.
void initialise(Parameters& parameters, const ModelConfig& config, Random& random);

}  // namespace attn::classifier

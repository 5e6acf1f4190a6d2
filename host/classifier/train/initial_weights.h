// SPDX-License-Identifier: Apache-2.0
//
// The weights of one model as the start of another one (train --init), whose vocabulary and labels may be different.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "classifier/checkpoint/safetensors.h"

namespace attn::classifier {

struct InitialWeights {
  std::string path;
  std::map<std::string, Tensor> tensors;
  // Those of the model. Empty if the file does not say, as one that was converted from another program: its rows and its
  // output then mean what they mean in the new model.
  std::vector<std::string> words, label_names;
};

// Reads a model of attn_train or a safetensors file with its tensors alone. Throws Failure as load_tensors() does.
InitialWeights load_initial_weights(const std::string& path);

struct TransferReport {
  std::int64_t words = 0;                 // of the new vocabulary that the old one has too
  enum { kKept, kSwapped, kNew } output;  // kSwapped: the same labels in the other order
};

// Replaces the values of `tensors`, those of a new model, by the old model's: rows of the embedding by word, the output
// by the names of the labels, everything else by the name of the tensor. What is new keeps its value. A tensor that
// the old model lacks is removed, and one of another shape copied, so that Parameters::load() refuses them.
TransferReport transfer(const InitialWeights& from, const std::vector<std::string>& words,
                        const std::vector<std::string>& label_names, std::map<std::string, Tensor>& tensors);

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
//
// oneDNN's LSTM in one direction, from zero states, over n sequences of T positions at a time, for oneDNN 2 and 3. The
// caller provides the scratchpads: those that oneDNN 2 allocates itself crash when calls overlap. The zero states are
// passed explicitly: without them oneDNN 2.6 computes a wrong gradient of the recurrent weights.
#pragma once

#include "encoder/cpu/onednn.h"

namespace attn::internal::cpu {

struct DirectionShape {
  std::int64_t T, n, E, H;
};

// Weights in the layout that oneDNN chose for one pass, reordered from the caller's.
class PackedWeights {
 public:
  PackedWeights() = default;
  PackedWeights(const dnnl::engine& engine, const dnnl::memory::desc& plain, const dnnl::memory::desc& packed,
                BoundMemory& memory);
  void pack(const dnnl::stream& stream, const float* weights);
  const dnnl::memory& packed() const { return packed_; }

 private:
  dnnl::memory plain_, packed_, scratchpad_;
  dnnl::reorder reorder_;
};

struct DirectionWeights {
  dnnl::stream stream;
  PackedWeights kernel;     // [E, 4H]
  PackedWeights recurrent;  // [H, 4H]
  dnnl::memory bias;        // [4H]
  void set(const float* kernel_values, const float* recurrent_values, const float* bias_values);
};

// The tensors of one run over n sequences. Those of the backward pass are empty in an LSTM without training.
struct DirectionTensors {
  dnnl::stream stream;
  dnnl::memory x, d_x;       // [T, n, E]
  dnnl::memory y, d_y;       // [T, n, H]
  dnnl::memory state;        // [n, H], zero, for both h and c
  dnnl::memory d_h, d_c;     // [n, H], required by oneDNN but not used
  dnnl::memory record;       // oneDNN's workspace, from the forward to the backward pass
  dnnl::memory d_kernel;     // [E, 4H]; oneDNN adds to all three
  dnnl::memory d_recurrent;  // [H, 4H]
  dnnl::memory d_bias;       // [4H]
  dnnl::memory forward_scratchpad, backward_scratchpad;
};

// Concurrent runs need separate weights and tensors.
class OneDirection {
 public:
  OneDirection(const dnnl::engine& engine, const DirectionShape& shape, bool training);

  DirectionWeights forward_weights(BoundMemory& workspace) const;
  DirectionWeights backward_weights(BoundMemory& workspace) const;

  // `kept` holds its contents from the forward to the backward pass, the others within one pass.
  DirectionTensors tensors(BoundMemory& kept, BoundMemory& forward, BoundMemory& backward) const;

  void forward(const DirectionWeights& weights, const DirectionTensors& tensors) const;
  void backward(const DirectionWeights& weights, const DirectionTensors& tensors) const;

 private:
  template <class PrimitiveDesc>
  DirectionWeights weights(const PrimitiveDesc& desc, BoundMemory& workspace) const;

  dnnl::engine engine_;
  DirectionShape shape_;
  bool training_;
  dnnl::lstm_forward::primitive_desc forward_desc_;
  dnnl::lstm_backward::primitive_desc backward_desc_;
  dnnl::lstm_forward forward_;
  dnnl::lstm_backward backward_;
};

}  // namespace attn::internal::cpu

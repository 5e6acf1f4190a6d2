// SPDX-License-Identifier: Apache-2.0
//
// Conversion between the weights of an LSTM in our layout and in cuDNN's.
//
// Ours: kernel [n, E, 4H], recurrent [n, H, 4H], bias [n, 4H] of n directions, gates i, f, c~, o, in fp32. cuDNN
// has one block with a matrix [H, E] or [H, H] and a bias [H] for each direction and gate, at offsets that it reports,
// in the type of the activations, to which the weights are rounded.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "attn_cuda/attn_cuda.h"
#include "encoder/cuda/cudnn.h"
#include "kernels/encoder.h"

namespace attn::internal::cuda {

// Parameters or their gradients in our layout. Float is const float or float.
template <class Float>
struct LstmParameters {
  Float* kernel;
  Float* recurrent;
  Float* bias;
};

class WeightSpace {
 public:
  WeightSpace() = default;
  // `rnn` is of data type `dtype`.
  WeightSpace(cudnnHandle_t cudnn, cudnnRNNDescriptor_t rnn, attn_dtype_t dtype, int directions, std::int64_t E,
              std::int64_t H);

  std::size_t bytes() const { return bytes_; }

  void pack(const LstmParameters<const float>& parameters, void* space, cudaStream_t stream) const;
  void unpack(const void* space, const LstmParameters<float>& parameters, cudaStream_t stream) const;

 private:
  // The matrix or the bias of a gate; a bias is one row.
  struct Piece {
    int direction, gate;
    enum class Kind { kKernel, kRecurrent, kBias } kind;
    std::int64_t offset;  // in cuDNN's block, in elements
  };
  template <class Float>
  Float* ours(const Piece& piece, const LstmParameters<Float>& parameters) const;
  std::int64_t rows(const Piece& piece) const;

  attn_dtype_t dtype_ = ATTN_DTYPE_FP32;
  std::int64_t E_ = 0, H_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace attn::internal::cuda

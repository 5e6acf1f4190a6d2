// SPDX-License-Identifier: Apache-2.0
//
//   dx_j = sum_i alpha_ij dO_i
//
// with several queries per batch item. fp32 throughout.
//
// A block takes 16 keys of one item and 128 columns; its warps share out the rows of dO, each with its 16 weights, 128
// rows at a time.
//
// Bytes, s per element, for each 16 keys and 128 columns: s of each element of dO, 4 for each weight, s of each dx.
#include "kernels/device/grid.cuh"
#include "kernels/device/mix.cuh"
#include "kernels/device/softmax.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kLanes;

struct ValueShared {
  MixWeights<kValueKeys> weights;
  MixSums<kValueKeys, kWarps>::Scratch scratch;
};

template <class Storage>
__global__ void __launch_bounds__(kThreads, 4)
    value_gradients_kernel(const AdditiveBackward<Storage> p, const Index tiles, const Index slices) {
  __shared__ ValueShared shared;
  for (Index item = blockIdx.x; item < p.B * tiles * slices; item += gridDim.x) {
    const Index column = item % slices * kMixColumns, begin = item / slices % tiles * kValueKeys,
                b = item / slices / tiles;
    const Keys of_item(p, b);
    const int keys = static_cast<int>(keys_from(begin, of_item.valid, kValueKeys));
    MixSums<kValueKeys, kWarps> gradient;
    gradient.clear();
    for (Index first = 0; first < p.Q && keys > 0; first += kTileKeys) {
      const int count = static_cast<int>(min(p.Q - first, Index{kTileKeys}));
      const float* const alpha = p.alpha + (b * p.Q + first) * p.T + begin;
      for (int at = static_cast<int>(threadIdx.x); at < count * kValueKeys; at += kThreads) {
        const int i = at / kValueKeys, j = at % kValueKeys;
        shared.weights[i][j] = j < keys ? alpha[i * p.T + j] : 0.0f;
      }
      __syncthreads();
      gradient.add(Rows<const Storage>(p.d_o + (b * p.Q + first) * p.D, p.D), count, column, shared.weights);
      __syncthreads();
    }
    gradient.finish(shared.scratch, [&](int j, int c, float sum) {
      if (begin + j < of_item.stored && column + c < p.D)
        store(j < keys ? sum : 0.0f, p.d_x + (of_item.first + begin + j) * p.D + column + c);
    });
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_multi_values(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index tiles = divide_up(params.T, kValueKeys), slices = divide_up(params.D, kMixColumns);
  const Index items = params.B * tiles * slices;
  if (items == 0) return cudaSuccess;
  value_gradients_kernel<Storage><<<blocks_for(items), kThreads, 0, stream>>>(params, tiles, slices);
  return cudaGetLastError();
}

template cudaError_t launch_additive_multi_values(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_multi_values(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_multi_values(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels

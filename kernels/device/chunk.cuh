// SPDX-License-Identifier: Apache-2.0
//
// One query per item, or pooling: a block has a chunk of one item's keys.
#pragma once

#include "kernels/device/packet.cuh"
#include "kernels/device/softmax.cuh"

namespace attn::kernels {

struct Chunk {
  Index item;             // of [B, chunks]
  Index b, begin;         // the first key within its item,
  Index row, place;       // its row of k and x, and its place in [B, T]
  int size, count, rows;  // places, valid keys, and rows of k and x, which are as many as one of the two
  Index chunks;           // of the item, with a valid key

  // `params` has B, T, lengths, cu_seqlens and split.
  template <class Params>
  __device__ Chunk(const Params& params, Index the_item) : item(the_item), b(item / params.split.chunks) {
    const Keys keys(params, b);
    begin = item % params.split.chunks * params.split.chunk_keys;
    row = keys.first + begin;
    place = b * params.T + begin;
    size = static_cast<int>(min(params.split.chunk_keys, params.T - begin));
    count = static_cast<int>(keys_from(begin, keys.valid, size));
    rows = static_cast<int>(keys_from(begin, keys.stored, size));
    chunks = chunks_with_keys(keys.valid, params.split);
  }
};

// What a forward pass leaves of a chunk: its part where there are others, else the results of the row.
template <class Storage>
struct ChunkOutput {
  const Attention<Storage>& to;
  const Chunk& chunk;
  SoftmaxState state;
  float divided_by;

  __device__ ChunkOutput(const Attention<Storage>& the_to, const Chunk& the_chunk, SoftmaxState the_state)
      : to(the_to),
        chunk(the_chunk),
        state(the_state),
        divided_by(to.states != nullptr || chunk.count == 0 ? 1.0f : divisor(state.sum)) {}

  __device__ void context(Index d, float sum) const {
    if (to.states != nullptr)
      to.contexts[chunk.item * to.D + d] = sum;
    else
      store(sum / divided_by, to.o + chunk.b * to.D + d);
  }

  // `exponentials` [count], shared.
  __device__ void rest(const float* exponentials) const {
    if (threadIdx.x == 0 && to.states != nullptr) to.states[chunk.item] = state;
    if (to.states != nullptr) return;
    if (threadIdx.x == 0 && to.lse != nullptr)
      to.lse[chunk.b] = chunk.count == 0 ? state.max : state.max + logf(divided_by);
    for (int j = static_cast<int>(threadIdx.x); to.weights != nullptr && j < chunk.size;
         j += static_cast<int>(blockDim.x))
      store(j < chunk.count ? exponentials[j] / divided_by : 0.0f, to.weights + chunk.place + j);
  }
};

}  // namespace attn::kernels

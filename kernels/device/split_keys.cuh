// SPDX-License-Identifier: Apache-2.0
//
// One query per item, or pooling: a block processes one split of one item's keys.
#pragma once

#include "kernels/device/softmax.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

// The keys of one split.
struct SplitKeys {
  Index item;    // work item: the split's index in [B, splits]
  Index b;       // batch item
  Index begin;   // first key, counted within the batch item
  Index row;     // its row of k and x
  Index offset;  // its offset in a tensor [B, T]
  int size;      // keys of the split, padding included
  int count;     // valid keys
  int rows;      // keys that have a row of k and x: `size`, or `count` where rows are packed
  Index splits;  // splits of the batch item that have a valid key

  // `params` has B, T, lengths, cu_seqlens and split.
  template <class Params>
  __device__ SplitKeys(const Params& params, Index the_item) : item(the_item), b(item / params.split.count) {
    const ItemKeys keys(params, b);
    begin = item % params.split.count * params.split.keys;
    row = keys.first + begin;
    offset = b * params.T + begin;
    size = static_cast<int>(min(params.split.keys, params.T - begin));
    count = static_cast<int>(count_keys(begin, keys.valid, size));
    rows = static_cast<int>(count_keys(begin, keys.stored, size));
    splits = splits_with_keys(keys.valid, params.split);
  }
};

// Where a forward pass stores the results of a split: in the workspace where merge.cu follows, and otherwise, the split
// being the whole row, directly in the outputs.
template <class Storage>
struct SplitOutput {
  const AttentionForward<Storage>& common;
  const SplitKeys& keys;
  SoftmaxState state;
  float denominator;

  __device__ SplitOutput(const AttentionForward<Storage>& the_common, const SplitKeys& the_keys, SoftmaxState the_state)
      : common(the_common),
        keys(the_keys),
        state(the_state),
        denominator(common.states != nullptr || keys.count == 0 ? 1.0f : divisor(state.sum)) {}

  // Column d of the context; `sum` is its unnormalised value.
  __device__ void store_context(Index d, float sum) const {
    if (common.states != nullptr)
      common.contexts[keys.item * common.D + d] = sum;
    else
      store(sum / denominator, common.o + keys.b * common.D + d);
  }

  // The softmax state, or LSE and weights. `exponentials` [count] is shared memory.
  __device__ void store_softmax(const float* exponentials) const {
    if (threadIdx.x == 0 && common.states != nullptr) common.states[keys.item] = state;
    if (common.states != nullptr) return;
    if (threadIdx.x == 0 && common.lse != nullptr)
      common.lse[keys.b] = keys.count == 0 ? state.max : state.max + logf(denominator);
    for (int j = static_cast<int>(threadIdx.x); common.weights != nullptr && j < keys.size;
         j += static_cast<int>(blockDim.x))
      store(j < keys.count ? exponentials[j] / denominator : 0.0f, common.weights + keys.offset + j);
  }
};

}  // namespace attn::kernels

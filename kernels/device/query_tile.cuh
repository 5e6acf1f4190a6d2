// SPDX-License-Identifier: Apache-2.0
//
// Several queries per item: a block processes a tile of queries over one split of one item's keys.
#pragma once

#include "kernels/device/softmax.cuh"

namespace attn::kernels {

struct QueryTile {
  Index split;      // of the item's keys
  Index b;          // batch item
  Index begin;      // the split's first key, counted within the batch item
  Index first_key;  // its row of k and x
  Index keys;       // valid keys of the split
  Index first_row;  // the tile's first query, as a row of [B, Q]
  int queries;      // of the tile

  // The work item's index is one of [B, tiles, splits]. `params` has B, Q, T, lengths, cu_seqlens and split.
  template <class Params>
  __device__ QueryTile(const Params& params, Index item, Index tiles, int tile_queries)
      : split(item % params.split.count) {
    const Index tile = item / params.split.count % tiles;
    b = item / params.split.count / tiles;
    begin = split * params.split.keys;
    const ItemKeys of_item(params, b);
    first_key = of_item.first + begin;
    keys = count_keys(begin, of_item.valid, params.split.keys);
    first_row = b * params.Q + tile * tile_queries;
    queries = static_cast<int>(min(params.Q - tile * tile_queries, Index{tile_queries}));
  }
};

}  // namespace attn::kernels

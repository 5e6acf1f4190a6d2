// SPDX-License-Identifier: Apache-2.0
//
// Stable sort of (id, position) pairs by id, for the gradient of the embedding: CUB's radix sort. It has a file of its
// own because its headers take long to compile.
//
// Grid, block, shared memory and registers: CUB's choice.
// Bytes: 12 N read and 12 N written for each 8 bits of V, and 4 N to count.
// Limit: memory bandwidth; for few pairs the latency of CUB's launches.
#include <cub/device/device_radix_sort.cuh>

#include "kernels/layers.h"

namespace attn::kernels {
namespace {

// Bits of the largest key, which is that of ids without a row in the table.
int key_bits(Index V) {
  int bits = 1;
  while (largest_key(V) >> bits != 0) ++bits;
  return bits;
}

}  // namespace

cudaError_t launch_sort_by_id(const SortById& params, SortedPairs* sorted, cudaStream_t stream) {
  cub::DoubleBuffer<std::uint32_t> ids(params.buffers[0].ids, params.buffers[1].ids);
  cub::DoubleBuffer<Index> positions(params.buffers[0].positions, params.buffers[1].positions);
  std::size_t bytes = params.bytes;
  const cudaError_t error =
      cub::DeviceRadixSort::SortPairs(params.space, bytes, ids, positions, params.N, 0, key_bits(params.V), stream);
  *sorted = {ids.Current(), positions.Current()};
  return error;
}

cudaError_t sort_by_id_bytes(Index N, Index V, std::size_t* bytes) {
  cub::DoubleBuffer<std::uint32_t> ids;
  cub::DoubleBuffer<Index> positions;
  return cub::DeviceRadixSort::SortPairs(nullptr, *bytes, ids, positions, N, 0, key_bits(V));
}

}  // namespace attn::kernels

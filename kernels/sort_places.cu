// SPDX-License-Identifier: Apache-2.0
//
// The sort of the embedding's gradient: CUB's radix sort, which is stable. In a file of its own for the time that its
// headers take to compile.
//
// Bytes: 12 N read and 12 N written for each 8 bits of V, and 4 N to count.
#include <cub/device/device_radix_sort.cuh>

#include "kernels/layers.h"

namespace attn::kernels {
namespace {

// Bits of the largest key, which is the one of ids outside the table.
int key_bits(Index V) {
  int bits = 1;
  while (largest_key(V) >> bits != 0) ++bits;
  return bits;
}

}  // namespace

cudaError_t launch_sort_places(const PlacesSort& params, SortedPlaces* sorted, cudaStream_t stream) {
  cub::DoubleBuffer<std::uint32_t> ids(params.buffers[0].ids, params.buffers[1].ids);
  cub::DoubleBuffer<Index> places(params.buffers[0].places, params.buffers[1].places);
  std::size_t bytes = params.bytes;
  const cudaError_t error =
      cub::DeviceRadixSort::SortPairs(params.space, bytes, ids, places, params.N, 0, key_bits(params.V), stream);
  *sorted = {ids.Current(), places.Current()};
  return error;
}

cudaError_t sort_places_bytes(Index N, Index V, std::size_t* bytes) {
  cub::DoubleBuffer<std::uint32_t> ids;
  cub::DoubleBuffer<Index> places;
  return cub::DeviceRadixSort::SortPairs(nullptr, *bytes, ids, places, N, 0, key_bits(V));
}

}  // namespace attn::kernels

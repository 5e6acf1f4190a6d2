// SPDX-License-Identifier: Apache-2.0
//
//   rows_n = table_{ids_n}    d_table_i = sum of d_rows_n over the places n with ids_n = i
//
// The gradient is summed in fp32 in an order that the ids alone decide, so without atomics. Places are sorted by id,
// those of one id staying in order, and cut into pieces of 32. A warp takes 128 columns of a piece and adds up each run
// of equal ids within it: where the run begins in the piece, the sum goes to the table, else it is the head of the
// piece. Then, for each run that goes on behind its first piece, a block adds the heads it left to the table. However
// often an id stands in the text, nobody adds more than 32 rows, or an eighth of its heads, one after another.
//
// Bytes, with s those of an element of Storage: forward 4 N + (4 + s) N E. Backward, beside the sort's: 4 V E for zeros,
// 16 N for keys and places; 12 N + s N E read, and 4 E written for each id and each head; 4 E read for each head, and 8 E
// for the row it belongs to.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

static_assert(kPiecePlaces == kLanes, "a lane for each place of a piece");

// How the gradient is cut: pieces of places times sweeps over the columns; and what stands for ids without a row.
struct Cut {
  Index pieces, sweeps;
  std::uint32_t none;
};

// What the pieces leave, [pieces, E], and where it goes, [V, E].
struct Heads {
  Index N, E;
  const float* heads;
  float* d_table;
};

// The first column of a lane in sweep `sweep` of a row.
__device__ Index column_of(Index sweep) { return sweep * kSweep + lane_index() * kPacket; }

template <class Storage>
__global__ void __launch_bounds__(kRowThreads)
    embedding_forward_kernel(const EmbeddingForward<Storage> p, const Index sweeps) {
  const Rows<const float> table(p.table, p.E);
  const Rows<Storage> rows(p.rows, p.E);
  for_each_in_warp(p.N * sweeps, [&](Index item) {
    const Index n = item / sweeps, column = column_of(item % sweeps), id = p.ids[n];
    rows.store(n, column, id >= 0 && id < p.V ? table.load(id, column) : float4{});
  });
}

__global__ void __launch_bounds__(kRowThreads)
    embedding_keys_kernel(const std::int32_t* ids, const PlacesSort p, const Cut cut) {
  for_each_element(p.N, [&](Index n) {
    const Index id = ids[n];
    p.buffers[0].ids[n] = id >= 0 && id < p.V ? static_cast<std::uint32_t>(id) : cut.none;
    p.buffers[0].places[n] = n;
  });
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads)
    embedding_pieces_kernel(const EmbeddingBackward<Storage> p, const SortedPlaces sorted, const Cut cut) {
  constexpr int kAtOnce = 4;
  const Rows<const Storage> d_rows(p.d_rows, p.E);
  const Rows<float> d_table(p.d_table, p.E), heads(p.heads, p.E);
  for_each_in_warp(cut.pieces * cut.sweeps, [&](Index item) {
    // 1. A place for each lane.
    const Index piece = item / cut.sweeps, column = column_of(item % cut.sweeps),
                at = piece * kPiecePlaces + lane_index();
    const std::uint32_t id = at < p.N ? sorted.ids[at] : cut.none;
    const Index place = at < p.N ? sorted.places[at] : 0;
    bool at_head = piece > 0 && sorted.ids[piece * kPiecePlaces - 1] == __shfl_sync(kAllLanes, id, 0);

    // 2. All lanes go through the places.
    float4 sum{};
    for (int first = 0; first < kPiecePlaces; first += kAtOnce) {
      float4 rows[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const Index row = __shfl_sync(kAllLanes, place, first + i);
        rows[i] = __shfl_sync(kAllLanes, id, first + i) == cut.none ? float4{} : d_rows.load(row, column);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::uint32_t here = __shfl_sync(kAllLanes, id, first + i);
        const std::uint32_t next = __shfl_sync(kAllLanes, id, min(first + i + 1, kPiecePlaces - 1));
        sum = sum + rows[i];
        if (here == cut.none || (here == next && first + i + 1 < kPiecePlaces)) continue;
        if (at_head)
          heads.store(piece, column, sum);
        else
          d_table.store(here, column, sum);
        at_head = false;
        sum = float4{};
      }
    }
  });
}

// The first of the sorted places from `begin` on whose id is larger than `id`.
__device__ Index end_of_run(const std::uint32_t* ids, Index N, Index begin, std::uint32_t id) {
  Index end = N;
  while (begin < end) {
    const Index middle = begin + (end - begin) / 2;
    if (ids[middle] == id)
      begin = middle + 1;
    else
      end = middle;
  }
  return end;
}

__global__ void __launch_bounds__(kRowThreads)
    embedding_merge_kernel(const Heads p, const std::uint32_t* ids, const Cut cut) {
  __shared__ RowScratch scratch;
  const Rows<const float> heads(p.heads, p.E);
  for (Index item = blockIdx.x; item < cut.pieces * cut.sweeps; item += gridDim.x) {
    // 1. Whether a run begins here that goes on.
    const Index piece = item / cut.sweeps, first = piece * kPiecePlaces, behind = first + kPiecePlaces;
    if (behind >= p.N || ids[behind] == cut.none || ids[behind] != ids[behind - 1]) continue;
    const std::uint32_t id = ids[behind];
    if (first > 0 && ids[first - 1] == id) continue;

    // 2. What it left at the heads of other pieces.
    const Index last = (end_of_run(ids, p.N, behind, id) - 1) / kPiecePlaces, column = item % cut.sweeps * kSweep;
    float4 sum{};
#pragma unroll 4
    for (Index head = piece + 1 + warp_index(); head <= last; head += kRowWarps)
      sum = sum + heads.load(head, column + lane_index() * kPacket);
    add_warps(sum, scratch, [&](int c, float total) {
      if (column + c < p.E) p.d_table[id * p.E + column + c] += total;
    });
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_embedding_forward(const EmbeddingForward<Storage>& params, cudaStream_t stream) {
  const Index sweeps = divide_up(params.E, kSweep);
  if (params.N == 0) return cudaSuccess;
  embedding_forward_kernel<<<blocks_for_warps(params.N * sweeps), kRowThreads, 0, stream>>>(params, sweeps);
  return cudaGetLastError();
}

template <class Storage>
cudaError_t launch_embedding_backward(const EmbeddingBackward<Storage>& params, cudaStream_t stream) {
  const auto bytes = static_cast<std::size_t>(params.V * params.E) * sizeof(float);
  cudaError_t error = cudaMemsetAsync(params.d_table, 0, bytes, stream);
  if (error != cudaSuccess || params.N == 0) return error;
  const Cut cut{divide_up(params.N, kPiecePlaces), divide_up(params.E, kSweep),
                static_cast<std::uint32_t>(largest_key(params.V))};
  embedding_keys_kernel<<<blocks_for_elements(params.N), kRowThreads, 0, stream>>>(params.ids, params.sort, cut);
  if ((error = cudaGetLastError()) != cudaSuccess) return error;
  SortedPlaces sorted{};
  if ((error = launch_sort_places(params.sort, &sorted, stream)) != cudaSuccess) return error;

  const Index items = cut.pieces * cut.sweeps;
  embedding_pieces_kernel<<<blocks_for_warps(items), kRowThreads, 0, stream>>>(params, sorted, cut);
  if ((error = cudaGetLastError()) != cudaSuccess) return error;
  const Heads heads{params.N, params.E, params.heads, params.d_table};
  embedding_merge_kernel<<<blocks_for(items), kRowThreads, 0, stream>>>(heads, sorted.ids, cut);
  return cudaGetLastError();
}

template cudaError_t launch_embedding_forward(const EmbeddingForward<float>&, cudaStream_t);
template cudaError_t launch_embedding_forward(const EmbeddingForward<__half>&, cudaStream_t);
template cudaError_t launch_embedding_forward(const EmbeddingForward<__nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<float>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<__half>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels

// SPDX-License-Identifier: Apache-2.0
//
//   rows_n = table_{ids_n}    d_table_i = sum of d_rows_n over the positions n with ids_n = i
//
// The gradient is a segmented reduction in fp32, without atomics, in an order that the ids alone decide. (id, position)
// pairs are stably sorted by id and split into segments of 32. A warp reduces each run of equal ids in a segment. The
// sum of a run that begins in the segment goes to the table; the sum of a run that began earlier is the segment's
// carry. Then, for each run that continues past its first segment, a block adds the carries to the table. However often
// an id occurs, no thread adds more than 32 rows, or an eighth of a run's carries, one after another.
//
// Grid and block: blocks of 256 threads. Forward, one warp per (position, slice of 128 columns). Backward, a thread per
//   position for the keys of the sort, then one warp per (segment, slice), then one block per (segment, slice).
// Shared memory: 4 KB for the carries. Registers: not limiting.
// Bytes, s per element of Storage: forward 4 N + (4 + s) N E. Backward, besides the sort: 4 V E to clear the table; 16
//   N for keys and positions; 12 N + s N E read, 4 E written for each id and each carry; 4 E read for each carry, and 8
//   E for the row that it belongs to.
// Work: one addition per element backward.
// Limit: memory bandwidth.
#include "kernels/device/elements.cuh"
#include "kernels/layers.h"

namespace attn::kernels {
namespace {

static_assert(kSegmentPairs == kLanes, "one lane per pair of a segment");

// How the gradient is divided: segments of pairs times slices of columns.
struct Segments {
  Index count, slices;
  std::uint32_t no_row;  // key of ids that have no row in the table
};

// What embedding_segments_kernel leaves, and the table that it belongs to.
struct Carries {
  Index N, E;
  const float* carries;  // [segments, E]
  float* d_table;        // [V, E]
};

// The lane's first column in a slice of a row.
__device__ Index column_of(Index slice) { return slice * kWarpColumns + lane_index() * kVecWidth; }

template <class Storage>
__global__ void __launch_bounds__(kRowThreads)
    embedding_forward_kernel(const EmbeddingForward<Storage> p, const Index slices) {
  const Rows<const float> table(p.table, p.E);
  const Rows<Storage> rows(p.rows, p.E);
  for_each_warp_item(p.N * slices, [&](Index item) {
    const Index n = item / slices, column = column_of(item % slices), id = p.ids[n];
    rows.store(n, column, id >= 0 && id < p.V ? table.load(id, column) : float4{});
  });
}

// The pairs that are to be sorted. `ids` [N].
__global__ void __launch_bounds__(kRowThreads)
    embedding_keys_kernel(const std::int32_t* ids, const SortById p, const Segments segments) {
  for_each_element(p.N, [&](Index n) {
    const Index id = ids[n];
    p.buffers[0].ids[n] = id >= 0 && id < p.V ? static_cast<std::uint32_t>(id) : segments.no_row;
    p.buffers[0].positions[n] = n;
  });
}

// Reduces the runs of every segment.
template <class Storage>
__global__ void __launch_bounds__(kRowThreads)
    embedding_segments_kernel(const EmbeddingBackward<Storage> p, const SortedPairs sorted, const Segments segments) {
  constexpr int kAtOnce = 4;
  const Rows<const Storage> d_rows(p.d_rows, p.E);
  const Rows<float> d_table(p.d_table, p.E), carries(p.carries, p.E);
  for_each_warp_item(segments.count * segments.slices, [&](Index item) {
    // 1. One pair per lane.
    const Index segment = item / segments.slices, column = column_of(item % segments.slices),
                at = segment * kSegmentPairs + lane_index();
    const std::uint32_t id = at < p.N ? sorted.ids[at] : segments.no_row;
    const Index position = at < p.N ? sorted.positions[at] : 0;
    bool is_carry = segment > 0 && sorted.ids[segment * kSegmentPairs - 1] == __shfl_sync(kAllLanes, id, 0);

    // 2. All lanes go through the pairs, each with its columns.
    float4 sum{};
    for (int first = 0; first < kSegmentPairs; first += kAtOnce) {
      float4 rows[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const Index row = __shfl_sync(kAllLanes, position, first + i);
        rows[i] = __shfl_sync(kAllLanes, id, first + i) == segments.no_row ? float4{} : d_rows.load(row, column);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::uint32_t current = __shfl_sync(kAllLanes, id, first + i);
        const std::uint32_t next = __shfl_sync(kAllLanes, id, min(first + i + 1, kSegmentPairs - 1));
        sum = sum + rows[i];
        if (current == segments.no_row || (current == next && first + i + 1 < kSegmentPairs)) continue;
        if (is_carry)
          carries.store(segment, column, sum);
        else
          d_table.store(current, column, sum);
        is_carry = false;
        sum = float4{};
      }
    }
  });
}

// The end of a run of `id`: the first of the sorted pairs, from `begin` on, with another id.
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

// Adds the carries of every run to its row of the table. `ids` [N] are sorted.
__global__ void __launch_bounds__(kRowThreads)
    embedding_carries_kernel(const Carries p, const std::uint32_t* ids, const Segments segments) {
  __shared__ RowScratch scratch;
  const Rows<const float> carries(p.carries, p.E);
  for_each_work_item(segments.count * segments.slices, [&](Index item) {
    // 1. Whether a run begins in this segment and continues in the next.
    const Index segment = item / segments.slices, first = segment * kSegmentPairs, next = first + kSegmentPairs;
    if (next >= p.N || ids[next] == segments.no_row || ids[next] != ids[next - 1]) return;
    const std::uint32_t id = ids[next];
    if (first > 0 && ids[first - 1] == id) return;

    // 2. Its carries.
    const Index last = (end_of_run(ids, p.N, next, id) - 1) / kSegmentPairs,
                column = item % segments.slices * kWarpColumns;
    float4 sum{};
#pragma unroll 4
    for (Index carry = segment + 1 + warp_index(); carry <= last; carry += kRowWarps)
      sum = sum + carries.load(carry, column + lane_index() * kVecWidth);
    add_warps(sum, scratch, [&](int c, float total) {
      if (column + c < p.E) p.d_table[id * p.E + column + c] += total;
    });
  });
}

}  // namespace

template <class Storage>
cudaError_t launch_embedding_forward(const EmbeddingForward<Storage>& params, cudaStream_t stream) {
  const Index slices = divide_up(params.E, kWarpColumns);
  if (params.N == 0) return cudaSuccess;
  embedding_forward_kernel<<<blocks_for_warps(params.N * slices), kRowThreads, 0, stream>>>(params, slices);
  return cudaGetLastError();
}

template <class Storage>
cudaError_t launch_embedding_backward(const EmbeddingBackward<Storage>& params, cudaStream_t stream) {
  const auto bytes = static_cast<std::size_t>(params.V * params.E) * sizeof(float);
  cudaError_t error = cudaMemsetAsync(params.d_table, 0, bytes, stream);
  if (error != cudaSuccess || params.N == 0) return error;
  const Segments segments{divide_up(params.N, kSegmentPairs), divide_up(params.E, kWarpColumns),
                          static_cast<std::uint32_t>(largest_key(params.V))};
  embedding_keys_kernel<<<blocks_for_elements(params.N), kRowThreads, 0, stream>>>(params.ids, params.sort, segments);
  if ((error = cudaGetLastError()) != cudaSuccess) return error;
  SortedPairs sorted{};
  if ((error = launch_sort_by_id(params.sort, &sorted, stream)) != cudaSuccess) return error;

  const Index items = segments.count * segments.slices;
  embedding_segments_kernel<<<blocks_for_warps(items), kRowThreads, 0, stream>>>(params, sorted, segments);
  if ((error = cudaGetLastError()) != cudaSuccess) return error;
  const Carries carries{params.N, params.E, params.carries, params.d_table};
  embedding_carries_kernel<<<blocks_for(items), kRowThreads, 0, stream>>>(carries, sorted.ids, segments);
  return cudaGetLastError();
}

template cudaError_t launch_embedding_forward(const EmbeddingForward<float>&, cudaStream_t);
template cudaError_t launch_embedding_forward(const EmbeddingForward<__half>&, cudaStream_t);
template cudaError_t launch_embedding_forward(const EmbeddingForward<__nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<float>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<__half>&, cudaStream_t);
template cudaError_t launch_embedding_backward(const EmbeddingBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels

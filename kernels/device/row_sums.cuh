// SPDX-License-Identifier: Apache-2.0
//
// Sums over the columns of each row, and over the rows for each column, in passes that are bound by memory: each row is
// read once. Eight lanes share a row, so that a lane adds 16 columns by itself before three shuffles add the rest.
#pragma once

#include "kernels/device/lane_rows.cuh"
#include "kernels/device/unit_tanh.cuh"

namespace attn::kernels {

// Blocks on a multiprocessor, which leave a thread registers for two vectors, their partial sums or results, and two rows.
template <class Storage>
inline constexpr int kSumBlocks = sizeof(Storage) == 4 ? 2 : 3;

// sums[row] = the sum over the columns of the term of `Term` for each of the first `count` rows. `sums` [count] is
// shared memory.
template <class Storage, class Term>
__device__ void reduce_rows(Rows<const Storage> rows, int count, const Term& term, RowScratch& scratch, float* sums) {
  using Lane = LaneColumns<Storage, kSumLanes>;
  if (count == 0) return;
  const int thread = static_cast<int>(threadIdx.x);
  int end = thread % kSumLanes == 0 ? count : 0;  // of the rows whose sums the lane stores
  compute_now(end);
  for (int row = thread; row < count; row += kRowThreads) sums[row] = 0;
  for (Index first = 0; first < rows.width; first += kWarpColumns) {
    float vectors[Term::kVectors][Lane::kCount];
    share_slices<kSumLanes>(term.vectors, rows.width, first, scratch, vectors);
    float* target = sums + Lane::first_row();
    with_access(rows, [&](auto bytes) {
      for_each_row<decltype(bytes)::value>(
          LaneRows<const Storage, kSumLanes>(rows, first), count,
          [&](int, const auto& values) { return Term::take(vectors, values); },
          [&](int row, const auto& taken) {
            const float sum = sum_lanes<kSumLanes>(Term::sum(vectors, taken));
            if (row < end) *target += sum;
            target += Lane::kBlockRows;
          });
    });
  }
}

// v . tanh(q + row): the score of additive attention. Beyond the end of the row all three are zero, and so is the term.
template <class Storage>
struct AdditiveTerm {
  static constexpr int kVectors = 2;
  const Storage* vectors[kVectors];  // q and v, [A]

  template <int kCount>
  __device__ static LaneValues<kCount> take(const float (&qv)[kVectors][kCount], const float (&row)[kCount]) {
    return add_now(qv[0], row);
  }

  template <int kCount>
  __device__ static float sum(const float (&qv)[kVectors][kCount], const LaneValues<kCount>& s) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kCount; ++i) sum = fmaf(qv[1][i], unit_tanh(s.at[i]), sum);
    return sum;
  }
};

// w . row
template <class Storage>
struct DotTerm {
  static constexpr int kVectors = 1;
  const Storage* vectors[kVectors];  // w, [width]

  template <int kCount>
  __device__ static float take(const float (&w)[kVectors][kCount], const float (&row)[kCount]) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kCount; ++i) sum = fmaf(w[0][i], row[i], sum);
    return sum;
  }

  template <int kCount>
  __device__ static float sum(const float (&)[kVectors][kCount], float taken) {
    return taken;
  }
};

// Adds one slice over the rows that the lanes and warps of the block have: the lanes of a warp first, then the warps in
// their order. `mine` holds the lane's columns. Calls store(c, sum) for each column c < kWarpColumns of the slice.
template <class Storage, int kRowLanes, class Store>
__device__ void add_lanes_and_warps(float (&mine)[LaneColumns<Storage, kRowLanes>::kCount], RowScratch& scratch,
                                    const Store& store) {
  using Lane = LaneColumns<Storage, kRowLanes>;
#pragma unroll
  for (int i = 0; i < Lane::kCount; ++i) {
#pragma unroll
    for (int step = kRowLanes; step < kLanes; step *= 2) mine[i] += __shfl_xor_sync(kAllLanes, mine[i], step);
    if (lane_index() < kRowLanes) scratch[warp_index()][Lane::first_column() + Lane::offset(i)] = mine[i];
  }
  add_scratch(scratch, store);
}

// Calls store(column, sum) once for each column, with sum = sum_j coefficients[j] row_j. `coefficients` [count] is
// shared memory.
template <class Storage, class Store>
__device__ void combine_rows(Rows<const Storage> rows, int count, const float* coefficients, RowScratch& scratch,
                             const Store& store) {
  constexpr int kCount = LaneColumns<Storage, kSumLanes>::kCount;
  for (Index first = 0; first < rows.width; first += kWarpColumns) {
    float sums[kCount]{};
    with_access(rows, [&](auto bytes) {
      for_each_row<decltype(bytes)::value>(
          LaneRows<const Storage, kSumLanes>(rows, first), count,
          [&](int row, const auto& values) {
            if (row >= count) return 0;
            const float coefficient = coefficients[row];
#pragma unroll
            for (int i = 0; i < kCount; ++i) sums[i] = fmaf(coefficient, values[i], sums[i]);
            return 0;
          },
          [](int, int) {});
    });
    add_lanes_and_warps<Storage, kSumLanes>(sums, scratch, [&](int c, float total) {
      if (first + c < rows.width) store(first + c, total);
    });
  }
}

}  // namespace attn::kernels

// SPDX-License-Identifier: Apache-2.0
//
// Rows in shared memory that are needed twice and read from global memory once: first a number is made of each row by
// a warp, then the rows are added with coefficients that follow from it, by threads that have a packet of columns each.
#pragma once

#include <algorithm>

#include "kernels/device/rows.cuh"

namespace attn::kernels {

inline constexpr int kTileElements = 5120;  // 20 KB
inline constexpr int kTileWidth = 2048;     // wider rows are read from global memory twice
inline constexpr int kMostTileRows = 64;
inline constexpr int kMostGroups = 32;

inline int tile_stride(Index width) { return static_cast<int>(round_up(width, kPacket)); }
inline int tile_rows(Index width) { return std::max(1, std::min(kMostTileRows, kTileElements / tile_stride(width))); }

// Which part of a row the calling thread has. The threads are cut into groups that take the rows in turn; where a row
// has more packets than there are threads, there is one group, and a thread has kColumns packets.
struct Columns {
  static constexpr int kColumns = kTileWidth / kPacket / kRowThreads;
  int packets, groups, group, first;

  __device__ explicit Columns(int stride) : packets(stride / kPacket) {
    const int thread = static_cast<int>(threadIdx.x);
    groups = max(1, min(kMostGroups, kRowThreads / packets));
    group = packets > kRowThreads ? 0 : thread / packets;
    first = packets > kRowThreads ? thread : thread - group * packets;
  }

  __device__ bool has(int n) const {
    return group < groups && packet(n) < packets && (n == 0 || packets > kRowThreads);
  }
  __device__ int packet(int n) const { return first + n * kRowThreads; }
};

struct RowTile {
  float* memory;  // [rows][stride], fp32, zero behind the columns
  int stride;     // a multiple of kPacket

  __device__ float4* row(int r) const { return reinterpret_cast<float4*>(memory + r * stride); }

  // Rows first ... first + count - 1 of x.
  template <class Storage>
  __device__ void fill(const Columns& columns, Rows<const Storage> x, int first, int count) const {
#pragma unroll
    for (int n = 0; n < Columns::kColumns; ++n) {
      if (!columns.has(n)) continue;
      const int packet = columns.packet(n);
#pragma unroll 4
      for (int r = columns.group; r < count; r += columns.groups) row(r)[packet] = x.load(first + r, packet * kPacket);
    }
  }

  // The product of row r with another, by a warp, to all its lanes.
  __device__ float dot_row(int r, const float4* other) const {
    float sum = 0;
    for (int at = lane_index(); at < stride / kPacket; at += kLanes) sum = dot(row(r)[at], other[at], sum);
    return sum_lanes(sum);
  }
};

// kVectors sums of rows with coefficients.
template <int kVectors>
struct TileSums {
  float4 sums[kVectors][Columns::kColumns];

  __device__ TileSums() {
#pragma unroll
    for (int v = 0; v < kVectors; ++v)
#pragma unroll
      for (int n = 0; n < Columns::kColumns; ++n) sums[v][n] = float4{};
  }

  // sums[v] += sum_r coefficients[v][r] row_r for the first `count` rows of the tile. A thread reads what it has filled
  // itself, so it may fill the tile again without waiting for others.
  __device__ void add(const Columns& columns, const RowTile& tile, int count,
                      const float* const (&coefficients)[kVectors]) {
#pragma unroll
    for (int n = 0; n < Columns::kColumns; ++n) {
      if (!columns.has(n)) continue;
      for (int r = columns.group; r < count; r += columns.groups) {
        const float4 value = tile.row(r)[columns.packet(n)];
#pragma unroll
        for (int v = 0; v < kVectors; ++v) sums[v][n] = add_multiple(coefficients[v][r], value, sums[v][n]);
      }
    }
  }

  // store(v, column, sum) gets what the groups hold together, in their order. The tile is used up.
  template <class Store>
  __device__ void finish(const Columns& columns, const RowTile& tile, const Store& store) const {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      __syncthreads();
#pragma unroll
      for (int n = 0; n < Columns::kColumns; ++n)
        if (columns.has(n)) tile.row(columns.group)[columns.packet(n)] = sums[v][n];
      __syncthreads();
      for (int column = static_cast<int>(threadIdx.x); column < tile.stride; column += kRowThreads) {
        float sum = 0;
        for (int g = 0; g < columns.groups; ++g) sum += tile.memory[g * tile.stride + column];
        store(v, column, sum);
      }
    }
    __syncthreads();
  }
};

}  // namespace attn::kernels

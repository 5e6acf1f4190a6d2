// SPDX-License-Identifier: Apache-2.0
//
// Rows of a matrix that pass through registers, in slices of 128 columns. Neighbouring lanes share a row and each keeps
// its columns while the rows pass, so what all rows have in common stays in registers too. Aligned rows are loaded and
// stored 16 bytes at a time, others in smaller accesses. Which lane has which elements does not depend on the alignment, so
// results do not either.
#pragma once

#include <type_traits>

#include "kernels/device/rows.cuh"

namespace attn::kernels {

inline constexpr int kVecBytes = 16;       // the largest access to global memory
inline constexpr int kSumLanes = 8;        // lanes that share a row whose columns are added
inline constexpr int kGradientLanes = 16;  // of gradients: a lane keeps their partial sums, so it has fewer columns

// The columns of a slice that belong to the calling lane, where kRowLanes lanes share a row: vectors of 16 bytes, which
// alternate among the lanes.
template <class Storage, int kRowLanes>
struct LaneColumns {
  static constexpr int kCount = kWarpColumns / kRowLanes;
  static constexpr int kWidth = kVecBytes / static_cast<int>(sizeof(Storage));  // elements of a vector
  static constexpr int kVecs = kCount / kWidth;
  static constexpr int kWarpRows = kLanes / kRowLanes;
  static constexpr int kBlockRows = kRowWarps * kWarpRows;
  static_assert(kVecs * kWidth == kCount, "whole vectors");

  // The lane's element i of a slice is in this column of the lane's first.
  __device__ static constexpr int offset(int i) { return i / kWidth * kRowLanes * kWidth + i % kWidth; }
  __device__ static int first_column() { return lane_index() % kRowLanes * kWidth; }
  __device__ static int first_row() { return warp_index() * kWarpRows + lane_index() / kRowLanes; }

  // The lane's elements of a slice of 128 numbers.
  __device__ static void read(const float* slice, float (&values)[kCount]) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) values[i] = slice[first_column() + offset(i)];
  }
};

__device__ inline unsigned bits_of(float value) { return __float_as_uint(value); }
__device__ inline unsigned bits_of(__half value) { return __half_as_ushort(value); }
__device__ inline unsigned bits_of(__nv_bfloat16 value) { return __bfloat16_as_ushort(value); }

__device__ inline void from_bits(unsigned bits, float* target) { *target = __uint_as_float(bits); }
__device__ inline void from_bits(unsigned bits, __half* target) {
  *target = __ushort_as_half(static_cast<unsigned short>(bits));
}
__device__ inline void from_bits(unsigned bits, __nv_bfloat16* target) {
  *target = __ushort_as_bfloat16(static_cast<unsigned short>(bits));
}

// The element in the lower or upper half of a word, or in the whole word.
template <class Storage>
__device__ float unpack(unsigned word, int half) {
  if constexpr (std::is_same_v<Storage, float>)
    return __uint_as_float(word);
  else if constexpr (std::is_same_v<Storage, __half>)
    return to_float(__ushort_as_half(static_cast<unsigned short>(half == 0 ? word : word >> 16)));
  else
    return __uint_as_float(half == 0 ? word << 16 : word & 0xffff0000u);
}

// Two values in the halves of a word, the first in the lower one, or the first in the whole word.
template <class Storage>
__device__ unsigned pack(float first, float second) {
  if constexpr (std::is_same_v<Storage, float>) {
    return __float_as_uint(first);
  } else {
    Storage low, high;
    store(first, &low);
    store(second, &high);
    return bits_of(low) | bits_of(high) << 16;
  }
}

// The lane's elements of one row, as they are stored.
template <class Storage, int kRowLanes>
struct LaneRow {
  using Lane = LaneColumns<Storage, kRowLanes>;
  static constexpr int kPerWord = static_cast<int>(sizeof(unsigned) / sizeof(Storage));
  unsigned words[Lane::kCount / kPerWord]{};  // zero beyond the end of the row, where nothing is loaded

  // `from` is the row at the lane's first column, and `left` the number of columns from there to its end.
  template <int kBytes>
  __device__ void load(const Storage* from, int left) {
    constexpr int kElements = kBytes / static_cast<int>(sizeof(Storage));  // of one access
#pragma unroll
    for (int i = 0; i < Lane::kCount; i += kElements) {
      if (Lane::offset(i) >= left) continue;
      const Storage* const source = from + Lane::offset(i);
      unsigned* const target = words + i / kPerWord;
      if constexpr (kBytes == 16) {
        const uint4 bits = *reinterpret_cast<const uint4*>(source);
        target[0] = bits.x, target[1] = bits.y, target[2] = bits.z, target[3] = bits.w;
      } else if constexpr (kBytes == 8) {
        const uint2 bits = *reinterpret_cast<const uint2*>(source);
        target[0] = bits.x, target[1] = bits.y;
      } else if (i % kPerWord == 0) {
        *target = bits_of(*source);
      } else {
        *target |= bits_of(*source) << 16;
      }
    }
  }

  // As load(). Elements beyond the end of the row are not written.
  template <int kBytes>
  __device__ void store(Storage* to, int left) const {
    constexpr int kElements = kBytes / static_cast<int>(sizeof(Storage));
#pragma unroll
    for (int i = 0; i < Lane::kCount; i += kElements) {
      if (Lane::offset(i) >= left) continue;
      Storage* const target = to + Lane::offset(i);
      const unsigned* const source = words + i / kPerWord;
      if constexpr (kBytes == 16)
        *reinterpret_cast<uint4*>(target) = make_uint4(source[0], source[1], source[2], source[3]);
      else if constexpr (kBytes == 8)
        *reinterpret_cast<uint2*>(target) = make_uint2(source[0], source[1]);
      else
        from_bits(*source >> i % kPerWord * 16, target);
    }
  }

  __device__ void pack_from(const float (&values)[Lane::kCount]) {
#pragma unroll
    for (int i = 0; i < Lane::kCount; i += kPerWord)
      words[i / kPerWord] = pack<Storage>(values[i], values[i + kPerWord - 1]);
  }

  __device__ void unpack_to(float (&values)[Lane::kCount]) const {
#pragma unroll
    for (int i = 0; i < Lane::kCount; ++i) values[i] = unpack<Storage>(words[i / kPerWord], i % kPerWord);
  }
};

// Calls body(bytes), where `bytes` is an integral constant: the size of the largest access that is aligned in every row,
// and in those of another matrix of this width, which may be null. Each size has its own loop, without branches on the
// alignment.
template <class Storage, class Body>
__device__ void with_access(Rows<Storage> rows, Storage* other, const Body& body) {
  const std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(rows.first) | reinterpret_cast<std::uintptr_t>(other) |
                              rows.width * sizeof(Storage);
  if (bits % kVecBytes == 0)
    body(std::integral_constant<int, kVecBytes>());
  else if (sizeof(Storage) == 2 && bits % 8 == 0)
    body(std::integral_constant<int, 8>());
  else
    body(std::integral_constant<int, sizeof(Storage)>());
}

template <class Storage, class Body>
__device__ void with_access(Rows<Storage> rows, const Body& body) {
  with_access(rows, static_cast<Storage*>(nullptr), body);
}

// Gives each lane its columns of one slice, from `first` on, of each vector [width]; they are zero beyond the end. The
// barriers also publish what the block wrote to shared memory before.
template <int kRowLanes, int kVectors, class Storage>
__device__ void share_slices(const Storage* const (&vectors)[kVectors], Index width, Index first, RowScratch& scratch,
                             float (&values)[kVectors][LaneColumns<Storage, kRowLanes>::kCount]) {
  if (threadIdx.x < kWarpColumns) {
#pragma unroll
    for (int n = 0; n < kVectors; ++n)
      scratch[n][threadIdx.x] = first + threadIdx.x < width ? to_float(vectors[n][first + threadIdx.x]) : 0.0f;
  }
  __syncthreads();
#pragma unroll
  for (int n = 0; n < kVectors; ++n) LaneColumns<Storage, kRowLanes>::read(scratch[n], values[n]);
  __syncthreads();
}

// Keeps the compiler from computing a value later, or again in each iteration of a loop.
__device__ inline void compute_now(float& value) { asm volatile("" : "+f"(value)); }
__device__ inline void compute_now(int& value) { asm volatile("" : "+r"(value)); }
__device__ inline void compute_now(Index& value) { asm volatile("" : "+l"(value)); }

template <int kCount>
struct LaneValues {
  float at[kCount];
};

// a + b, computed before the loads that follow, which then need no registers of their own.
template <int kCount>
__device__ LaneValues<kCount> add_now(const float (&a)[kCount], const float (&b)[kCount]) {
  LaneValues<kCount> sums;
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    sums.at[i] = a[i] + b[i];
    compute_now(sums.at[i]);
  }
  return sums;
}

// The lane's rows in one slice of a matrix: every kBlockRows-th from first_row() on.
template <class Storage, int kRowLanes>
struct LaneRows {
  using Lane = LaneColumns<std::remove_const_t<Storage>, kRowLanes>;
  Storage* at;  // the current row, at the lane's first column
  Index step;   // bytes from there to the next
  int left;     // columns from there to the end of the row

  // The slice begins at column `first`.
  __device__ LaneRows(Rows<Storage> rows, Index first)
      : at(rows.first + Lane::first_row() * rows.width + first + Lane::first_column()),
        step(Lane::kBlockRows * rows.width * static_cast<Index>(sizeof(Storage))),
        left(static_cast<int>(min(rows.width - first, Index{kWarpColumns})) - Lane::first_column()) {
    compute_now(step);
    compute_now(left);
  }

  // The same rows and columns of another matrix of that shape, as `at` is of the lane's first row.
  __device__ LaneRows(Storage* the_at, const LaneRows<const Storage, kRowLanes>& other)
      : at(the_at), step(other.step), left(other.left) {}

  __device__ void advance() {
    using Byte = std::conditional_t<std::is_const_v<Storage>, const char, char>;
    at = reinterpret_cast<Storage*>(reinterpret_cast<Byte*>(at) + step);
  }
};

// Passes the first `count` rows. For each of its rows a lane calls taken = take(row, values), which uses its elements,
// and then use(row, taken); in between it loads the next row. The lanes of a warp call equally often, and for row >=
// count `values` are those of an earlier row.
template <int kBytes, class Storage, int kRowLanes, class Take, class Use>
__device__ void for_each_row(LaneRows<const Storage, kRowLanes> from, int count, const Take& take, const Use& use) {
  using Lane = LaneColumns<Storage, kRowLanes>;
  constexpr bool kAhead = kBytes > static_cast<int>(sizeof(Storage));  // not for single elements, which need registers
  LaneRow<Storage, kRowLanes> next;
  int row = Lane::first_row();
  if (kAhead && row < count) next.template load<kBytes>(from.at, from.left);
  for (int of_warp = warp_index() * Lane::kWarpRows; of_warp < count; of_warp += Lane::kBlockRows) {
    if (!kAhead && row < count) next.template load<kBytes>(from.at, from.left);
    float values[Lane::kCount];
    next.unpack_to(values);
    const auto taken = take(row, values);
    from.advance();
    if (kAhead && row + Lane::kBlockRows < count) next.template load<kBytes>(from.at, from.left);
    use(row, taken);
    row += Lane::kBlockRows;
  }
}

// Stores the lane's columns of the current row, and moves on to the next.
template <int kBytes, class Storage, int kRowLanes>
__device__ void store_next(LaneRows<Storage, kRowLanes>& to,
                           const float (&values)[LaneColumns<Storage, kRowLanes>::kCount]) {
  LaneRow<Storage, kRowLanes> packed;
  packed.pack_from(values);
  packed.template store<kBytes>(to.at, to.left);
  to.advance();
}

// Stores the first `count` rows: make(row, values) sets the lane's columns of one.
template <int kBytes, class Storage, int kRowLanes, class Make>
__device__ void store_rows(LaneRows<Storage, kRowLanes> to, int count, const Make& make) {
  using Lane = LaneColumns<Storage, kRowLanes>;
  for (int row = Lane::first_row(); row < count; row += Lane::kBlockRows) {
    float values[Lane::kCount];
    make(row, values);
    store_next<kBytes>(to, values);
  }
}

}  // namespace attn::kernels

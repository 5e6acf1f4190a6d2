// SPDX-License-Identifier: Apache-2.0
//
// Contexts of a tile of queries, o_i = sum_j p_ij x_j, over a tile of keys: a product [rows, keys] x [keys, columns] on
// tensor cores with the accuracy of fp32. TF32 keeps 11 significant bits, so each factor is split into a TF32 and a
// remainder, and the product of the two remainders, below 2^-22, is left out: three products for fp32 x, two for 16-bit
// x, which TF32 represents exactly.
//
// Tensor cores truncate when they add. Only 8 keys are therefore added there, those products first that contain a
// remainder, and the totals of these are added by ordinary, rounded additions.
//
// Each warp has 32 columns. Rows and columns are assigned to the fragments of mma.m16n8k8 so that a thread reads its
// shares of p and x with loads of 8 and 16 bytes (x of 16 bits: 8 bytes) without bank conflicts:
//
//   lane = 4 g + t    rows g, g + 8, ...    keys 2 t, 2 t + 1 of each 8    columns of x 4 g ... 4 g + 3,
//                                                                          of the result 8 t ... 8 t + 7
#pragma once

#include "kernels/device/async_copy.cuh"
#include "kernels/device/thread_place.cuh"
#include "kernels/device/tile_numbers.cuh"
#include "kernels/device/vec4.cuh"

namespace attn::kernels {

#if __CUDA_ARCH__ >= 800
inline constexpr bool kHasTf32Products = true;
#else
inline constexpr bool kHasTf32Products = false;
#endif

inline constexpr int kChunkBytes = 16;       // unit of copies and of the permutation that avoids bank conflicts
inline constexpr int kContextColumns = 128;  // of a block: 32 per warp
inline constexpr int kWarpContextColumns = 32;
inline constexpr int kProductKeys = 8;         // keys between two rounded additions
inline constexpr int kValueSliceBytes = 8192;  // of x in shared memory

// A slice of x in shared memory: kKeys rows, kContextColumns columns of each. Chunks are permuted.
template <class Storage>
struct ValueSlice {
  static constexpr int kKeys = kValueSliceBytes / (kContextColumns * static_cast<int>(sizeof(Storage)));
  static constexpr int kChunkElements = kChunkBytes / static_cast<int>(sizeof(Storage));
  static constexpr int kChunks = kContextColumns / kChunkElements;  // of a row
  static_assert(kKeys % kProductKeys == 0);

  Storage values[kKeys][kContextColumns];

  __device__ static int place(int key, int column) {
    return (column / kChunkElements ^ key / 2 % 4 * 2) * kChunkElements + column % kChunkElements;
  }

  // The thread's columns of a key's row, converted to fp32.
  __device__ float4 four(int key, int column) const {
    const auto vec = *reinterpret_cast<const Vec4<Storage>*>(&values[key][place(key, column)]);
    return make_float4(to_float(vec.elements[0]), to_float(vec.elements[1]), to_float(vec.elements[2]),
                       to_float(vec.elements[3]));
  }

  // Begins to copy the first `count` rows of `x`, from `column` on. What is not there becomes zero, because x may have
  // anything there, and 0 * NaN is NaN.
  template <int kThreads>
  __device__ void load(Rows<const Storage> x, Index first, Index count, Index column) {
    const int thread = read_thread_index();
    if (x.width % kChunkElements == 0 && reinterpret_cast<std::uintptr_t>(x.first) % kChunkBytes == 0) {
      const int chunk = thread % kChunks, begin = thread / kChunks;
      const Index at = column + chunk * kChunkElements;
      const Storage* from = x.first + (first + begin) * x.width + at;
#pragma unroll
      for (int key = begin; key < kKeys; key += kThreads / kChunks, from += kThreads / kChunks * x.width) {
        const bool exists = key < count && at < x.width;
        copy_or_clear(&values[key][place(key, chunk * kChunkElements)], exists ? from : x.first, exists);
      }
    } else {
#pragma unroll 1
      for (int i = thread; i < kKeys * kContextColumns; i += kThreads) {
        const int key = i / kContextColumns, c = i % kContextColumns;
        const bool exists = key < count && column + c < x.width;
        values[key][place(key, c)] = exists ? x.first[(first + key) * x.width + column + c] : Storage(0.0f);
      }
    }
  }
};

// A number as the sum of a TF32 and a remainder. `mask` clears the bits that TF32 lacks.
struct SplitNumber {
  unsigned high, low;

  __device__ SplitNumber(float x, unsigned mask) {
    high = __float_as_uint(x) & mask;
    low = __float_as_uint(x - __uint_as_float(high));
  }
};

// d += a b, with a [16, 8], b [8, 8].
__device__ inline void multiply_add(const unsigned (&a)[4], const unsigned (&b)[2], float& d0, float& d1, float& d2,
                                    float& d3) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// The thread's part of the contexts: rows g + 8 r and eight columns, see above.
template <int kRows>
struct ContextTile {
  static constexpr int kThreadRows = kRows / 8, kThreadColumns = 8;
  static constexpr int kProductRows = kRows == 8 ? 1 : 2;  // of the 16 rows of a product; with 8, half of it is unused
  float sums[kThreadRows][kThreadColumns];

  __device__ static int row(ThreadPlace place, int r) { return place.lane / 4 + 8 * r; }
  __device__ static int column(ThreadPlace place) {
    return place.warp * kWarpContextColumns + place.lane % 4 * kThreadColumns;
  }

  __device__ void clear() {
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r)
#pragma unroll
      for (int c = 0; c < kThreadColumns; ++c) sums[r][c] = 0;
  }

  // Adds a slice of x; its first row belongs to key `first` of `p`. 16 rows at a time, because of the registers that the
  // fragments take.
  template <class Exponentials, class Storage>
  __device__ void add(ThreadPlace place, const Exponentials& p, int first, const ValueSlice<Storage>& x,
                      unsigned mask) {
    const int g = place.lane / 4, t = place.lane % 4;
#pragma unroll 2
    for (int key = 0; key < ValueSlice<Storage>::kKeys; key += kProductKeys) {
      float values[2][4];
#pragma unroll
      for (int k = 0; k < 2; ++k)
        *reinterpret_cast<float4*>(values[k]) = x.four(key + 2 * t + k, place.warp * kWarpContextColumns + 4 * g);
#pragma unroll
      for (int r = 0; r < kThreadRows; r += kProductRows) {
        float exponentials[kProductRows][2], products[kProductRows][kThreadColumns] = {};
#pragma unroll
        for (int i = 0; i < kProductRows; ++i)
          *reinterpret_cast<float2*>(exponentials[i]) = p.two(row(place, r + i), first + key + 2 * t);
        multiply<true, false, Storage>(exponentials, values, mask, products);
        if constexpr (sizeof(Storage) == sizeof(float))
          multiply<false, true, Storage>(exponentials, values, mask, products);
        multiply<false, false, Storage>(exponentials, values, mask, products);
#pragma unroll
        for (int i = 0; i < kProductRows; ++i)
#pragma unroll
          for (int c = 0; c < kThreadColumns; ++c) sums[r + i][c] += products[i][c];
      }
    }
  }

  // Adds one of the products of split numbers over 8 keys.
  template <bool kLowP, bool kLowX, class Storage>
  __device__ static void multiply(const float (&p)[kProductRows][2], const float (&x)[2][4], unsigned mask,
                                  float (&products)[kProductRows][kThreadColumns]) {
    unsigned a[4] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i % 2 >= kProductRows) continue;
      const SplitNumber split(p[i % kProductRows][i / 2], mask);
      a[i] = kLowP ? split.low : split.high;
    }
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      unsigned b[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const SplitNumber split(x[i][c], mask);
        b[i] = sizeof(Storage) < sizeof(float) ? __float_as_uint(x[i][c]) : kLowX ? split.low : split.high;
      }
      float unused[2] = {};  // rows 8 to 15, if there are only 8
      if constexpr (kProductRows == 2)
        multiply_add(a, b, products[0][c], products[0][c + 4], products[1][c], products[1][c + 4]);
      else
        multiply_add(a, b, products[0][c], products[0][c + 4], unused[0], unused[1]);
    }
  }

  // The same by FMAs, from global memory: the whole context of `count` keys. For devices without TF32, and for infinite
  // x, which cannot be split: its remainder would be NaN.
  template <class Exponentials, class Storage>
  __device__ void add_exactly(ThreadPlace place, const Exponentials& p, Rows<const Storage> x, Index first, int count,
                              Index column) {
#pragma unroll 1
    for (int key = 0; key < count; ++key) {
      const float4 left = x.load(first + key, column), right = x.load(first + key, column + kVecWidth);
      const float values[kThreadColumns] = {left.x, left.y, left.z, left.w, right.x, right.y, right.z, right.w};
#pragma unroll
      for (int r = 0; r < kThreadRows; ++r) {
        const float weight = p.at(row(place, r), key);
#pragma unroll
        for (int c = 0; c < kThreadColumns; ++c) sums[r][c] = fmaf(weight, values[c], sums[r][c]);
      }
    }
  }

  __device__ bool is_finite() const {
    float zero = 0;
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r)
#pragma unroll
      for (int c = 0; c < kThreadColumns; ++c) zero = fmaf(sums[r][c], 0.0f, zero);
    return zero == 0;
  }
};

}  // namespace attn::kernels

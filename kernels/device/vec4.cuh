// SPDX-License-Identifier: Apache-2.0
//
// Four consecutive elements of a row (a vec4), converted to fp32: 16 bytes of float, 8 bytes of the 16-bit types. Which
// lane has which elements does not depend on the alignment, so results do not either.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <type_traits>

#include "kernels/params.h"

namespace attn::kernels {

inline constexpr int kVecWidth = 4;

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(__half value) { return __half2float(value); }
__device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }

__device__ inline void store(float value, float* target) { *target = value; }
__device__ inline void store(float value, __half* target) { *target = __float2half_rn(value); }
__device__ inline void store(float value, __nv_bfloat16* target) { *target = __float2bfloat16_rn(value); }

template <class Storage>
struct alignas(kVecWidth * sizeof(Storage)) Vec4 {
  Storage elements[kVecWidth];
};

// Consecutive rows of a row-major matrix.
template <class Storage>
struct Rows {
  Storage* first;  // [rows, width]
  Index width;
  bool aligned;  // whether every vec4 of every row can be accessed at once

  __device__ Rows(Storage* the_first, Index the_width)
      : first(the_first),
        width(the_width),
        aligned(width % kVecWidth == 0 && reinterpret_cast<std::uintptr_t>(first) % sizeof(Vec4<Storage>) == 0) {}

  // Elements column ... column + 3. Elements beyond the end of the row are zero and are not read.
  __device__ float4 load(Index row, Index column) const {
    const Storage* const from = first + row * width + column;
    const Index left = width - column;
    float4 value{};
    if (aligned) {
      if (left > 0) {
        const auto vec = *reinterpret_cast<const Vec4<Storage>*>(from);
        value = make_float4(to_float(vec.elements[0]), to_float(vec.elements[1]), to_float(vec.elements[2]),
                            to_float(vec.elements[3]));
      }
    } else {
      if (left > 0) value.x = to_float(from[0]);
      if (left > 1) value.y = to_float(from[1]);
      if (left > 2) value.z = to_float(from[2]);
      if (left > 3) value.w = to_float(from[3]);
    }
    return value;
  }

  // Elements beyond the end of the row are not written.
  __device__ void store(Index row, Index column, float4 value) const {
    Storage* const target = first + row * width + column;
    const Index left = width - column;
    if (aligned) {
      if (left <= 0) return;
      Vec4<Storage> vec;
      kernels::store(value.x, &vec.elements[0]);
      kernels::store(value.y, &vec.elements[1]);
      kernels::store(value.z, &vec.elements[2]);
      kernels::store(value.w, &vec.elements[3]);
      // An explicit vector store: otherwise the compiler merges the first of these stores with that of the other
      // branch.
      using Bits = std::conditional_t<sizeof vec == sizeof(uint4), uint4, uint2>;
      Bits bits;
      memcpy(&bits, &vec, sizeof bits);
      __stwb(reinterpret_cast<Bits*>(target), bits);
    } else {
      if (left > 0) kernels::store(value.x, target);
      if (left > 1) kernels::store(value.y, target + 1);
      if (left > 2) kernels::store(value.z, target + 2);
      if (left > 3) kernels::store(value.w, target + 3);
    }
  }
};

__device__ inline float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
__device__ inline float4 operator*(float4 a, float4 b) {
  return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
}
__device__ inline float4 operator*(float a, float4 b) { return make_float4(a * b.x, a * b.y, a * b.z, a * b.w); }

// sum + factor * value
__device__ inline float4 add_multiple(float factor, float4 value, float4 sum) {
  return make_float4(fmaf(factor, value.x, sum.x), fmaf(factor, value.y, sum.y), fmaf(factor, value.z, sum.z),
                     fmaf(factor, value.w, sum.w));
}

// sum + a . b
__device__ inline float dot(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

}  // namespace attn::kernels

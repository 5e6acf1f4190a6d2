// SPDX-License-Identifier: Apache-2.0
//
// Four neighbours of a row in fp32: 16 bytes of float, 8 of the 16-bit types. Which lane has which elements does not
// depend on the alignment, and so neither does a result.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <type_traits>

#include "kernels/params.h"

namespace attn::kernels {

inline constexpr int kPacket = 4;

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(__half value) { return __half2float(value); }
__device__ inline float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }

__device__ inline void store(float value, float* to) { *to = value; }
__device__ inline void store(float value, __half* to) { *to = __float2half_rn(value); }
__device__ inline void store(float value, __nv_bfloat16* to) { *to = __float2bfloat16_rn(value); }

template <class Storage>
struct alignas(kPacket * sizeof(Storage)) Packet {
  Storage lane[kPacket];
};

// A block of rows of one matrix.
template <class Storage>
struct Rows {
  Storage* first;
  Index width;
  bool aligned;  // whether every row can be accessed by packets

  __device__ Rows(Storage* the_first, Index the_width)
      : first(the_first),
        width(the_width),
        aligned(width % kPacket == 0 && reinterpret_cast<std::uintptr_t>(first) % sizeof(Packet<Storage>) == 0) {}

  // Elements column ... column + 3; those behind the row are zero and not touched.
  __device__ float4 load(Index row, Index column) const {
    const Storage* const from = first + row * width + column;
    const Index left = width - column;
    float4 value{};
    if (aligned) {
      if (left > 0) {
        const auto packet = *reinterpret_cast<const Packet<Storage>*>(from);
        value = make_float4(to_float(packet.lane[0]), to_float(packet.lane[1]), to_float(packet.lane[2]),
                            to_float(packet.lane[3]));
      }
    } else {
      if (left > 0) value.x = to_float(from[0]);
      if (left > 1) value.y = to_float(from[1]);
      if (left > 2) value.z = to_float(from[2]);
      if (left > 3) value.w = to_float(from[3]);
    }
    return value;
  }

  __device__ void store(Index row, Index column, float4 value) const {
    Storage* const to = first + row * width + column;
    const Index left = width - column;
    if (aligned) {
      if (left <= 0) return;
      Packet<Storage> packet;
      kernels::store(value.x, &packet.lane[0]);
      kernels::store(value.y, &packet.lane[1]);
      kernels::store(value.z, &packet.lane[2]);
      kernels::store(value.w, &packet.lane[3]);
      // Written out, because the compiler would join the first of these four stores with that of the other branch.
      using Bits = std::conditional_t<sizeof packet == sizeof(uint4), uint4, uint2>;
      Bits bits;
      memcpy(&bits, &packet, sizeof bits);
      __stwb(reinterpret_cast<Bits*>(to), bits);
    } else {
      if (left > 0) kernels::store(value.x, to);
      if (left > 1) kernels::store(value.y, to + 1);
      if (left > 2) kernels::store(value.z, to + 2);
      if (left > 3) kernels::store(value.w, to + 3);
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

__device__ inline float dot(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

}  // namespace attn::kernels

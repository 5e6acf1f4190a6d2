// SPDX-License-Identifier: Apache-2.0
//
// The storage types, implemented for the tests independently of the library's conversions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.h"

namespace attn::test {

struct Storage {
  std::size_t size;     // of an element, in bytes
  int digits;           // of the significand, including the leading one
  int least, greatest;  // exponents of the smallest and largest normal powers of two

  double epsilon() const;  // the distance from 1 to the next number
  double least_normal() const;
};

Storage storage_of(attn_dtype_t dtype);

inline const char* name_of(attn_dtype_t dtype) {
  return dtype == ATTN_DTYPE_FP32 ? "fp32" : dtype == ATTN_DTYPE_FP16 ? "fp16" : "bf16";
}

// The nearest number of the type, with ties to even.
double rounded(attn_dtype_t dtype, double value);
std::vector<double> rounded(attn_dtype_t dtype, std::vector<double> values);

// Conversion between values and the bytes of a tensor. encode() rounds; decode() is exact, since every number of every
// storage type is also an fp32 number.
std::vector<std::byte> encode(attn_dtype_t dtype, const std::vector<float>& values);
std::vector<float> decode(attn_dtype_t dtype, const std::vector<std::byte>& bytes);

}  // namespace attn::test

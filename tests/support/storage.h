// SPDX-License-Identifier: Apache-2.0
//
// The storage types as the tests see them, written apart from the library's conversions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.h"

namespace attn::test {

struct Storage {
  std::size_t size;     // bytes of an element
  int digits;           // of the significand, the leading one included
  int least, greatest;  // exponents of the least and greatest powers of two among normal numbers

  double epsilon() const;  // between 1 and the next number
  double least_normal() const;
};

Storage storage_of(attn_dtype_t dtype);

inline const char* name_of(attn_dtype_t dtype) {
  return dtype == ATTN_DTYPE_FP32 ? "fp32" : dtype == ATTN_DTYPE_FP16 ? "fp16" : "bf16";
}

// The nearest number of the type, ties to even.
double rounded(attn_dtype_t dtype, double value);
std::vector<double> rounded(attn_dtype_t dtype, std::vector<double> values);

// The elements of a tensor in memory. Encoding rounds; all numbers of all types are floats, so decoding does not.
std::vector<std::byte> encode(attn_dtype_t dtype, const std::vector<float>& values);
std::vector<float> decode(attn_dtype_t dtype, const std::vector<std::byte>& bytes);

}  // namespace attn::test

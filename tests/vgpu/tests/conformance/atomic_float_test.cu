// SPDX-License-Identifier: Apache-2.0
//
// Tests atom and red on floating-point numbers.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "atomic_operations.cuh"

namespace atomic_float_test {

using namespace atomics;
using conformance::code_architecture;

template <class To, class From>
To as(From from) {
  To to;
  static_assert(sizeof to == sizeof from);
  std::memcpy(&to, &from, sizeof to);
  return to;
}

template <class Float, class Bits>
bool same_number(Bits a, Bits b) {
  const auto x = as<Float>(a), y = as<Float>(b);
  return a == b || (x != x && y != y);
}

float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

TEST(AtomicFloat, AddSingle) {
  std::vector<U32> values;
  for (const float x :
       {0.0f, -0.0f, 1.0f, -1.0f, 1.5f, 0x1p-24f, 0x1.8p-24f, 0x1.000002p0f, 0x1p-126f, -0x1.8p-126f, 0x1p-149f,
        -0x1.fffffcp-127f, 3.4028235e38f, -3.4028235e38f, 0x1p103f, std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    values.push_back(as<U32>(x));
  // Atomics on global memory flush subnormal numbers to zero; atomics on shared memory do not.
  check_all<AddF32, U32>(
      apply<AddF32, U32>, values,
      [](U32 a, U32 b) { return as<U32>(flushed(flushed(as<float>(a)) + flushed(as<float>(b)))); },
      [](U32 a, U32 b) { return as<U32>(as<float>(a) + as<float>(b)); }, same_number<float, U32>);
}

TEST(AtomicFloat, AddDouble) {
  std::vector<U64> values;
  for (const double x : {0.0, -0.0, 1.0, -1.0, 0x1p-53, 0x1.0000000000001p0, 0x1p-1022, -0x1p-1074,
                         1.7976931348623157e308, 0x1p970, std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    values.push_back(as<U64>(x));
  const auto sum = [](U64 a, U64 b) { return as<U64>(as<double>(a) + as<double>(b)); };
  check_all<AddF64, U64>(apply<AddF64, U64>, values, sum, sum, same_number<double, U64>);
}

U16 half_sum(U16 a, U16 b) {
  const __half x(__half_raw{a}), y(__half_raw{b});
  return __half_raw(__double2half(double(__half2float(x)) + double(__half2float(y)))).x;
}

U16 brain_sum(U16 a, U16 b) {
  const __nv_bfloat16 x(__nv_bfloat16_raw{a}), y(__nv_bfloat16_raw{b});
  return __nv_bfloat16_raw(__double2bfloat16(double(__bfloat162float(x)) + double(__bfloat162float(y)))).x;
}

template <U16 infinity>
bool same_narrow(U16 a, U16 b) {
  return a == b || ((a & 0x7fff) > infinity && (b & 0x7fff) > infinity);
}

// The values are 1, its neighbours, ties, subnormals, extremes, infinities and NaNs of f16 and bf16.
const std::vector<U16> kHalves{0x0000, 0x8000, 0x3c00, 0x3c01, 0xbc00, 0x1000, 0x1001, 0x0001, 0x83ff,
                               0x0400, 0x7bff, 0xfbff, 0x5000, 0x4c00, 0x7c00, 0xfc00, 0x7e00};
const std::vector<U16> kBrains{0x0000, 0x8000, 0x3f80, 0x3f81, 0xbf80, 0x3b80, 0x3b81, 0x0001, 0x807f,
                               0x0080, 0x7f7f, 0xff7f, 0x4380, 0x7b00, 0x7f80, 0xff80, 0x7fc0};

std::vector<U32> pairs_of(const std::vector<U16>& values) {
  std::vector<U32> pairs;
  for (std::size_t i = 0; i < values.size(); ++i)
    pairs.push_back(values[i] | U32{values[(5 * i + 3) % values.size()]} << 16);
  return pairs;
}

template <U16 (*sum)(U16, U16)>
U32 pair_sum(U32 a, U32 b) {
  return sum(U16(a), U16(b)) | U32{sum(U16(a >> 16), U16(b >> 16))} << 16;
}

template <U16 infinity>
bool same_pair(U32 a, U32 b) {
  return same_narrow<infinity>(U16(a), U16(b)) && same_narrow<infinity>(U16(a >> 16), U16(b >> 16));
}

TEST(AtomicFloat, AddHalf) {
  check_all<AddF16, U16>(apply<AddF16, U16>, kHalves, half_sum, half_sum, same_narrow<0x7c00>);
  check_all<AddF16x2, U32>(apply<AddF16x2, U32>, pairs_of(kHalves), pair_sum<half_sum>, pair_sum<half_sum>,
                           same_pair<0x7c00>);
}

TEST(AtomicFloat, AddBrain) {
  if (code_architecture() < 90) GTEST_SKIP() << "atomics of bf16 are of sm_90 and later";
  check_all<AddBF16, U16>(apply_90<AddBF16, U16>, kBrains, brain_sum, brain_sum, same_narrow<0x7f80>);
  check_all<AddBF16x2, U32>(apply_90<AddBF16x2, U32>, pairs_of(kBrains), pair_sum<brain_sum>, pair_sum<brain_sum>,
                            same_pair<0x7f80>);
}

}  // namespace atomic_float_test

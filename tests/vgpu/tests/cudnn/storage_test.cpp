// SPDX-License-Identifier: Apache-2.0
//
// Compares conversions with those of the CUDA toolkit.
#include "cudnn/storage.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace vgpu::cudnn {
namespace {

std::uint16_t encoded(Storage type, double number) {
  std::uint16_t bits = 0;
  encode(type, &number, 1, &bits);
  return bits;
}

double number_of(Storage type, std::uint16_t bits) { return decoded(type, &bits, 1).at(0); }

float toolkit_number(Storage type, std::uint16_t bits) {
  if (type == Storage::kHalf) return __half2float(__half(__half_raw{bits}));
  return __bfloat162float(__nv_bfloat16(__nv_bfloat16_raw{bits}));
}

std::uint16_t toolkit_bits(Storage type, double number) {
  return type == Storage::kHalf ? __half_raw(__double2half(number)).x : __nv_bfloat16_raw(__double2bfloat16(number)).x;
}

class Narrow : public testing::TestWithParam<Storage> {};

TEST_P(Narrow, EveryNumberIsReadAsTheToolkitReadsItAndWrittenBack) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto number = static_cast<std::uint16_t>(bits);
    const double read = number_of(GetParam(), number);
    const float expected = toolkit_number(GetParam(), number);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(read)) << bits;
      ASSERT_TRUE(std::isnan(number_of(GetParam(), encoded(GetParam(), read)))) << bits;
    } else {
      ASSERT_EQ(read, static_cast<double>(expected)) << bits;
      ASSERT_EQ(encoded(GetParam(), read), number) << bits;
    }
  }
}

// Tests the midpoint of two neighbouring numbers, and the closest double on either side of it.
TEST_P(Narrow, RoundsToTheNearestAndFromTheMiddleToEven) {
  for (unsigned bits = 0; bits < 0x7fff; ++bits) {
    const double below = number_of(GetParam(), static_cast<std::uint16_t>(bits));
    const double above = number_of(GetParam(), static_cast<std::uint16_t>(bits + 1));
    if (!std::isfinite(below) || !std::isfinite(above)) continue;
    const double middle = (below + above) / 2;
    for (const double number : {middle, std::nextafter(middle, 0), std::nextafter(middle, HUGE_VAL)}) {
      ASSERT_EQ(encoded(GetParam(), number), toolkit_bits(GetParam(), number)) << number;
      ASSERT_EQ(encoded(GetParam(), -number), toolkit_bits(GetParam(), -number)) << number;
    }
  }
}

TEST_P(Narrow, WhatIsTooLargeIsInfinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double number : {1e39, 1e300, infinity})
    EXPECT_EQ(number_of(GetParam(), encoded(GetParam(), number)), infinity);
}

INSTANTIATE_TEST_SUITE_P(Types, Narrow, testing::Values(Storage::kHalf, Storage::kBfloat16),
                         [](const auto& one) { return one.param == Storage::kHalf ? "fp16" : "bf16"; });

TEST(Float, IsTheHosts) {
  const double number = 0.1;
  float stored = 0;
  encode(Storage::kFloat, &number, 1, &stored);
  EXPECT_EQ(stored, 0.1f);
  EXPECT_EQ(decoded(Storage::kFloat, &stored, 1).at(0), static_cast<double>(0.1f));
}

}  // namespace
}  // namespace vgpu::cudnn

// SPDX-License-Identifier: Apache-2.0
//
// The CPU backend's conversions of 16-bit storage compared with arithmetic in double precision, which is tested first.
#include "support/storage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/convert.h"
#include "support/random.h"

namespace attn::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(StorageOfTests, RoundsToNearestEven) {
  const auto fp16 = [](double value) { return rounded(ATTN_DTYPE_FP16, value); };
  EXPECT_EQ(fp16(1 + 0x1p-11), 1);
  EXPECT_EQ(fp16(1 + 0x1.8p-10), 1 + 0x1p-9);
  EXPECT_EQ(fp16(1 + 0x1.00001p-11), 1 + 0x1p-10);
  EXPECT_EQ(fp16(65519.99), 65504);
  EXPECT_EQ(fp16(65520), kInfinity);
  EXPECT_EQ(fp16(-1e300), -kInfinity);
  EXPECT_EQ(fp16(0x1p-25), 0);
  EXPECT_EQ(fp16(0x1.8p-24), 0x1p-23);
  EXPECT_EQ(fp16(0x1.000001p-25), 0x1p-24);
  EXPECT_EQ(rounded(ATTN_DTYPE_BF16, 1 + 0x1.8p-7), 1 + 0x1p-6);
  EXPECT_EQ(rounded(ATTN_DTYPE_BF16, 0x1.ffp127), kInfinity);
  EXPECT_EQ(rounded(ATTN_DTYPE_FP32, 0.1), static_cast<double>(0.1F));
}

TEST(StorageOfTests, HasTheBitsOfTheFormats) {
  const auto bits = [](attn_dtype_t dtype, float value) {
    std::uint16_t half;
    std::memcpy(&half, encode(dtype, {value}).data(), sizeof half);
    return half;
  };
  EXPECT_EQ(bits(ATTN_DTYPE_FP16, 1), 0x3c00);
  EXPECT_EQ(bits(ATTN_DTYPE_FP16, -65504), 0xfbff);
  EXPECT_EQ(bits(ATTN_DTYPE_FP16, 0x1p-24F), 0x0001);
  EXPECT_EQ(bits(ATTN_DTYPE_FP16, 0x1p-14F), 0x0400);
  EXPECT_EQ(bits(ATTN_DTYPE_FP16, -HUGE_VALF), 0xfc00);
  EXPECT_EQ(bits(ATTN_DTYPE_BF16, -1.5F), 0xbfc0);
  EXPECT_EQ(bits(ATTN_DTYPE_BF16, 0x1p-133F), 0x0001);
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Compares bits, except that a NaN may have any payload.
bool same(float a, float b) { return std::isnan(a) ? std::isnan(b) : bits_of(a) == bits_of(b); }

float decoded(attn_dtype_t dtype, std::uint16_t half) {
  std::vector<std::byte> bytes(sizeof half);
  std::memcpy(bytes.data(), &half, sizeof half);
  return decode(dtype, bytes).front();
}

template <class Format>
void expect_rounds(attn_dtype_t dtype, float value) {
  const auto expected = static_cast<float>(rounded(dtype, static_cast<double>(value)));
  const std::uint16_t got = Format::round(value);
  EXPECT_TRUE(same(decoded(dtype, got), expected)) << name_of(dtype) << " of " << value << ": bits " << got;
}

template <class Format>
void expect_exact(attn_dtype_t dtype) {
  for (std::uint32_t bits = 0; bits < 1U << 16; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = Format::widen(half);
    ASSERT_TRUE(same(value, decoded(dtype, half))) << name_of(dtype) << " bits " << half;
    ASSERT_EQ(std::signbit(value), bits >> 15 != 0) << half;
    if (std::isnan(value)) continue;
    ASSERT_EQ(Format::round(value), half);
    if (std::isinf(value)) continue;
    // Test the midpoint between this number and the next, and the floats on both sides of it.
    const float next = decoded(dtype, static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((static_cast<double>(value) + static_cast<double>(next)) / 2);
    for (float at : {middle, std::nextafter(middle, value), std::nextafter(middle, next)})
      expect_rounds<Format>(dtype, at);
  }
  for (float value : {0x1p-149F, -0x1p-149F, 0x1p-126F, 0x1p-25F, 0x1.000002p-25F, 65519.996F, 65520.0F, 3.3961775e38F,
                      3.4028235e38F, -3.4028235e38F})
    expect_rounds<Format>(dtype, value);
  for (float value : Random(1).uniform(100000, -1, 1))
    for (float scale : {1.0F, 1e-5F, 1e5F, 1e-40F}) expect_rounds<Format>(dtype, value * scale);
  for (std::uint32_t payload : {0x7f800001U, 0xff800001U, 0x7fc00000U, 0x7fffffffU, 0xffffffffU}) {
    float nan;
    std::memcpy(&nan, &payload, sizeof nan);
    EXPECT_TRUE(std::isnan(decoded(dtype, Format::round(nan)))) << name_of(dtype) << " " << payload;
  }
}

TEST(Conversions, OfFp16AreExact) { expect_exact<internal::Fp16>(ATTN_DTYPE_FP16); }
TEST(Conversions, OfBf16AreExact) { expect_exact<internal::Bf16>(ATTN_DTYPE_BF16); }

}  // namespace
}  // namespace attn::test

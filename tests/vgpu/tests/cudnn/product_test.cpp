// SPDX-License-Identifier: Apache-2.0
//
// Compares products of integers, which are exact, with plain loops.
#include "cudnn/product.h"

#include <gtest/gtest.h>

#include <tuple>

namespace vgpu::cudnn {
namespace {

std::vector<double> whole_numbers(std::size_t count, std::size_t seed) {
  std::vector<double> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<double>((i * 31 + seed) % 17) - 8;
  return numbers;
}

// Sizes just below, at and just above the sizes of tiles and slabs.
class Products : public testing::TestWithParam<std::tuple<std::size_t, std::size_t, std::size_t>> {};

TEST_P(Products, AreSumsOfProductsOnTopOfWhatIsThere) {
  const auto [rows, columns, depth] = GetParam();
  const std::vector<double> left = whole_numbers(rows * depth, 1), right = whole_numbers(depth * columns, 2);
  std::vector<double> got = whole_numbers(rows * columns, 3), expected = got;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      for (std::size_t k = 0; k < depth; ++k) expected[i * columns + j] += left[i * depth + k] * right[k * columns + j];
    }
  }
  std::vector<double> of_transpose = got;
  add_product(rows, columns, depth, {left.data(), depth, 1}, right.data(), got.data());
  EXPECT_EQ(got, expected);
  add_product(rows, columns, depth, {transposed(rows, depth, left.data()).data(), 1, rows}, right.data(),
              of_transpose.data());
  EXPECT_EQ(of_transpose, expected);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Products,
                         testing::Combine(testing::Values(1, 3, 4, 9), testing::Values(1, 4, 7),
                                          testing::Values(1, 127, 128, 129, 300)));

TEST(Tf32, HasElevenBitsAndRoundsToEven) {
  const double unit = 1.0 / 1024;
  EXPECT_EQ(rounded_to_tf32(1 + unit), 1 + unit);
  EXPECT_EQ(rounded_to_tf32(1 + unit / 2), 1);
  EXPECT_EQ(rounded_to_tf32(-(1 + 3 * unit / 2)), -(1 + 2 * unit));
  EXPECT_EQ(rounded_to_tf32(0), 0);
}

TEST(Tf32, RoundsBothFactors) {
  const double third = 1.0 / 3, fifth = 1.0 / 5;
  double got = 0;
  add_product(1, 1, 1, {&third, 1, 1}, &fifth, &got, true);
  EXPECT_EQ(got, rounded_to_tf32(third) * rounded_to_tf32(fifth));
}

}  // namespace
}  // namespace vgpu::cudnn

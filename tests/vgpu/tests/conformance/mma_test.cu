// SPDX-License-Identifier: Apache-2.0
//
// Tests the fragment layouts and exactness of mma.sync. mma_rounding_test.cu tests the rounding of sums.
#include "mma_products.cuh"

#include <dlfcn.h>

#include <cmath>
#include <limits>
#include <random>

#include "elementwise.cuh"

namespace mma_test {

using namespace mma;
using conformance::code_architecture;

// The integers are small enough that sums are exact in any order, yet large enough that all sums differ.
template <class Op>
void check_layout() {
  if (code_architecture() < Op::kArchitecture) return;
  std::mt19937 random(Op::kM * 100 + Op::kK);
  const double least = Op::A::value(Op::A::bits(-1)) < 0 ? -8 : 0;
  Matrices<Op> in;
  for (U64& x : in.a) x = Op::A::bits(least + double(random() % 16));
  for (U64& x : in.b) x = Op::B::bits(double(random() % 15));
  for (U64& x : in.c) x = Op::C::bits(double(random() % 31) - 15);
  const auto d = in.product();
  for (int row = 0; row < Op::kM; ++row)
    for (int column = 0; column < Op::kN; ++column) {
      double sum = Op::C::value(in.c[row * Op::kN + column]);
      for (int k = 0; k < Op::kK; ++k)
        sum += Op::A::value(in.a[row * Op::kK + k]) * Op::B::value(in.b[k * Op::kN + column]);
      EXPECT_EQ(Op::C::value(d[row * Op::kN + column]), sum) << row << ", " << column;
    }
}

TEST(Mma, Layouts) {
  check_layout<HalfK16>();
  check_layout<HalfK8>();
  check_layout<HalfInHalfK16>();
  check_layout<HalfInHalfK8>();
  check_layout<BrainK16>();
  check_layout<BrainK8>();
  check_layout<TensorK8>();
  check_layout<TensorK4>();
  check_layout<SignedK32>();
  check_layout<MixedK32>();
  check_layout<SignedK16>();
  check_layout<UnsignedK16>();
  check_layout<DoubleK4>();
  check_layout<DoubleK16>();
}

template <class Op>
void check_special_values() {
  if (code_architecture() < Op::kArchitecture) return;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(dot_of<Op>({1, kInfinity}, {1, 1}, 3), kInfinity);
  EXPECT_EQ(dot_of<Op>({1, -kInfinity}, {1, 1}, 3), -kInfinity);
  EXPECT_TRUE(std::isnan(dot_of<Op>({1, kInfinity}, {1, 0}, 3)));
  EXPECT_TRUE(std::isnan(dot_of<Op>({kInfinity, -kInfinity}, {1, 1}, 3)));
  EXPECT_TRUE(std::isnan(dot_of<Op>({1}, {1}, std::numeric_limits<double>::quiet_NaN())));
}

TEST(Mma, InfinitiesAndNan) {
  check_special_values<HalfK16>();
  check_special_values<HalfInHalfK8>();
  check_special_values<BrainK16>();
  check_special_values<TensorK8>();
  check_special_values<DoubleK4>();
}

TEST(Mma, SubnormalsCount) {
  EXPECT_EQ(dot_of<HalfK8>({0x1p-24}, {0x1p-24}, 0), 0x1p-48);
  if (code_architecture() < 80) GTEST_SKIP() << "bf16 is of sm_80 and later";
  EXPECT_EQ(dot_of<BrainK16>({0x1p-133}, {0x1p10}, 0), 0x1p-123);
}

TEST(Mma, IntegersWrapOrSaturate) {
  if (code_architecture() < 80) GTEST_SKIP() << "these shapes are of sm_80 and later";
  const std::vector<double> ones(32, 100), most(32, 127), least(32, -128), large(32, 255);
  EXPECT_EQ(dot_of<SignedK32>(ones, most, 2147483647), 2147483647.0 + 32 * 12700 - 4294967296.0);
  EXPECT_EQ(dot_of<SignedK32>(least, least, 0), 32 * 128 * 128);
  EXPECT_EQ(dot_of<MixedK32>(large, most, 2147483647), 2147483647);
  EXPECT_EQ(dot_of<MixedK32>(large, least, -2147483648.0), -2147483648.0);
  EXPECT_EQ(dot_of<MixedK32>(large, least, 0), -32 * 255 * 128);
}

// tf32 has ten fraction bits; the remaining bits of a float are truncated.
TEST(Mma, TensorFloatsAreCut) {
  if (code_architecture() < 80) GTEST_SKIP() << "tf32 is of sm_80 and later";
  EXPECT_EQ(dot_of<TensorK8>({0x1.ffffp0}, {1}, 0), 0x1.ffcp0);
  EXPECT_EQ(dot_of<TensorK8>({-0x1.004p0}, {0x1.004p0}, 0), -0x1.00801p0);
}

// The virtual GPU rounds a sum in an fp16 accumulator once. mma_rounding_test.cu tests fp32 accumulators.
TEST(Mma, HalfSumsRoundOnce) {
  if (dlsym(RTLD_DEFAULT, "vgpu_is_virtual") == nullptr) GTEST_SKIP() << "of the virtual GPU alone";
  EXPECT_EQ(dot_of<HalfInHalfK8>({0x1p-6, 0x1p-12}, {0x1p-5, 0x1p-12}, 1), 0x1.004p0);
  EXPECT_EQ(dot_of<HalfInHalfK8>({60000}, {2}, 1), std::numeric_limits<double>::infinity());
}

TEST(Mma, DoublesAreFused) {
  if (code_architecture() < 80) GTEST_SKIP() << "f64 is of sm_80 and later";
  const double x = 1 + 0x1p-30, y = 1 - 0x1p-30;
  EXPECT_EQ(dot_of<DoubleK4>({x}, {y}, -1), std::fma(x, y, -1.0));
  EXPECT_EQ(dot_of<DoubleK4>({x, 3}, {y, 0x1p-60}, -1), std::fma(3, 0x1p-60, std::fma(x, y, -1.0)));
}

}  // namespace mma_test

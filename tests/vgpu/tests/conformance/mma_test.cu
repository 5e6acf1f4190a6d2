// SPDX-License-Identifier: Apache-2.0
//
// Tests the fragment layouts, exactness and rounding of mma.sync.
#include "mma_operations.cuh"

#include <dlfcn.h>

#include <cmath>
#include <limits>
#include <random>

#include "elementwise.cuh"

namespace mma_test {

using namespace mma;
using conformance::code_architecture;
using conformance::DeviceArray;

// Matrices are stored row by row, with one word per element.
template <class Op>
__global__ void multiply(const U64* a, const U64* b, const U64* c, U64* d) {
#if __CUDA_ARCH__ >= 750
  if constexpr (Op::kArchitecture * 10 <= __CUDA_ARCH__) {
    using Register = typename Op::Register;
    const int group = static_cast<int>(threadIdx.x) / 4, member = static_cast<int>(threadIdx.x) % 4;
    constexpr int kPerA = Op::kWord / Op::A::kBits, kPerC = Op::kWord / Op::C::kBits;
    Register ra[Op::kA] = {}, rb[Op::kB] = {}, rc[Op::kC] = {}, rd[Op::kC] = {};
    for (int i = 0; i < Op::kA * kPerA; ++i) {
      const Place at = place_in_a<Op::A::kBits, Op::kM>(group, member, i);
      ra[i / kPerA] |= static_cast<Register>(a[at.row * Op::kK + at.column]) << (i % kPerA * Op::A::kBits);
    }
    for (int i = 0; i < Op::kB * kPerA; ++i) {
      const Place at = place_in_b<Op::B::kBits>(group, member, i);
      rb[i / kPerA] |= static_cast<Register>(b[at.row * Op::kN + at.column]) << (i % kPerA * Op::B::kBits);
    }
    for (int i = 0; i < Op::kC * kPerC; ++i) {
      const Place at = place_in_c(group, member, i);
      rc[i / kPerC] |= static_cast<Register>(c[at.row * Op::kN + at.column]) << (i % kPerC * Op::C::kBits);
    }
    Op::run(rd, ra, rb, rc);
    for (int i = 0; i < Op::kC * kPerC; ++i) {
      const Place at = place_in_c(group, member, i);
      const U64 mask = Op::C::kBits == 64 ? ~U64{0} : (U64{1} << Op::C::kBits % 64) - 1;
      d[at.row * Op::kN + at.column] = static_cast<U64>(rd[i / kPerC] >> (i % kPerC * Op::C::kBits)) & mask;
    }
  }
#endif
}

template <class Op>
struct Matrices {
  std::vector<U64> a = std::vector<U64>(Op::kM * Op::kK), b = std::vector<U64>(Op::kK * Op::kN),
                   c = std::vector<U64>(Op::kM * Op::kN);

  std::vector<U64> product() const {
    DeviceArray<U64> device_a(a), device_b(b), device_c(c), device_d(c.size());
    multiply<Op><<<1, 32>>>(device_a.get(), device_b.get(), device_c.get(), device_d.get());
    return device_d.read();
  }
};

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

// Multiplies one row of A by one column of B and adds one element of C.
template <class Op>
U64 dot(const std::vector<U64>& a, const std::vector<U64>& b, U64 c) {
  Matrices<Op> in;
  for (std::size_t k = 0; k < a.size(); ++k) {
    in.a[9 % Op::kM * Op::kK + k] = a[k];
    in.b[k * Op::kN + 5] = b[k];
  }
  in.c[9 % Op::kM * Op::kN + 5] = c;
  return in.product()[9 % Op::kM * Op::kN + 5];
}

template <class Op>
double dot_of(const std::vector<double>& a, const std::vector<double>& b, double c) {
  std::vector<U64> a_bits, b_bits;
  for (const double x : a) a_bits.push_back(Op::A::bits(x));
  for (const double x : b) b_bits.push_back(Op::B::bits(x));
  return Op::C::value(dot<Op>(a_bits, b_bits, Op::C::bits(c)));
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

// The rounding of tensor cores is not documented; the virtual GPU rounds a sum once.
TEST(Mma, RoundsOnce) {
  if (dlsym(RTLD_DEFAULT, "vgpu_is_virtual") == nullptr) GTEST_SKIP() << "of the virtual GPU alone";
  EXPECT_EQ(dot_of<HalfK8>({0x1p-12, 0x1p-12}, {0x1p-12, 0x1p-12}, 1), 0x1.000002p0);
  EXPECT_EQ(dot_of<HalfK8>({0x1p-12}, {0x1p-12}, 1), 1.0);
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

// SPDX-License-Identifier: Apache-2.0
//
// Executes mma.sync with given matrices, or with one row of A and one column of B.
#pragma once

#include <cstddef>
#include <vector>

#include "device_array.h"
#include "mma_operations.cuh"

namespace mma {

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
    conformance::DeviceArray<U64> device_a(a), device_b(b), device_c(c), device_d(c.size());
    multiply<Op><<<1, 32>>>(device_a.get(), device_b.get(), device_c.get(), device_d.get());
    return device_d.read();
  }
};

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

}  // namespace mma

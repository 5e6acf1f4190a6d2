// SPDX-License-Identifier: Apache-2.0
//
// Tests nvcuda::wmma: all shapes and layouts of each type, from global and from shared memory.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include <random>
#include <type_traits>

#include "elementwise.cuh"

namespace wmma_test {

namespace wmma = nvcuda::wmma;
using conformance::code_architecture;
using conformance::DeviceArray;

constexpr int kPad = 16;  // padding elements at the end of each row or column

// Represents tf32, whose type mma.h declares only from sm_80 on.
struct Tensor {};

// The element type of a fragment, and the type of the same element in memory.
template <class T>
struct Names {
  using Fragment = T;
  using Stored = T;
};
template <>
struct Names<Tensor> {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  using Fragment = wmma::precision::tf32;
#endif
  using Stored = float;
};

template <class Input, class Sum, int m, int n, int k, bool a_rows, bool b_rows, bool c_rows, int needed>
struct Product {
  using In = Input;
  using Element = typename Names<Input>::Stored;
  using Out = Sum;
  static constexpr int kM = m, kN = n, kK = k, kArchitecture = needed;
  static constexpr bool kARows = a_rows, kBRows = b_rows, kCRows = c_rows;
  static constexpr int kStrideA = (a_rows ? k : m) + kPad, kStrideB = (b_rows ? n : k) + kPad,
                       kStrideC = (c_rows ? n : m) + kPad;
  static constexpr int kSizeA = (a_rows ? m : k) * kStrideA, kSizeB = (b_rows ? k : n) * kStrideB,
                       kSizeC = (c_rows ? m : n) * kStrideC;
};

// Computes D = 2 (A B + C); the factor is applied to each fragment element, as programs do.
template <class P>
__device__ void multiply(const typename P::Element* a, const typename P::Element* b, const typename P::Out* c,
                         typename P::Out* d) {
  using Element = typename Names<typename P::In>::Fragment;
  using LayoutA = std::conditional_t<P::kARows, wmma::row_major, wmma::col_major>;
  using LayoutB = std::conditional_t<P::kBRows, wmma::row_major, wmma::col_major>;
  wmma::fragment<wmma::matrix_a, P::kM, P::kN, P::kK, Element, LayoutA> of_a;
  wmma::fragment<wmma::matrix_b, P::kM, P::kN, P::kK, Element, LayoutB> of_b;
  wmma::fragment<wmma::accumulator, P::kM, P::kN, P::kK, typename P::Out> of_c, of_d;
  constexpr auto kLayout = P::kCRows ? wmma::mem_row_major : wmma::mem_col_major;
  wmma::load_matrix_sync(of_a, a, P::kStrideA);
  wmma::load_matrix_sync(of_b, b, P::kStrideB);
  wmma::load_matrix_sync(of_c, c, P::kStrideC, kLayout);
  wmma::mma_sync(of_d, of_a, of_b, of_c);
  for (int i = 0; i < of_d.num_elements; ++i) of_d.x[i] = of_d.x[i] + of_d.x[i];
  wmma::store_matrix_sync(d, of_d, P::kStrideC, kLayout);
}

template <class P>
__global__ void from_global(const typename P::Element* a, const typename P::Element* b, const typename P::Out* c,
                            typename P::Out* d) {
#if __CUDA_ARCH__ >= 750
  if constexpr (P::kArchitecture * 10 <= __CUDA_ARCH__) multiply<P>(a, b, c, d);
#endif
}

template <class P>
__global__ void from_shared(const typename P::Element* a, const typename P::Element* b, const typename P::Out* c,
                            typename P::Out* d) {
#if __CUDA_ARCH__ >= 750
  if constexpr (P::kArchitecture * 10 <= __CUDA_ARCH__) {
    extern __shared__ __align__(128) unsigned char room[];
    auto* to_d = reinterpret_cast<typename P::Out*>(room);
    auto* to_a = reinterpret_cast<typename P::Element*>(to_d + P::kSizeC);
    auto* to_b = to_a + P::kSizeA;
    for (int i = static_cast<int>(threadIdx.x); i < P::kSizeA; i += 32) to_a[i] = a[i];
    for (int i = static_cast<int>(threadIdx.x); i < P::kSizeB; i += 32) to_b[i] = b[i];
    for (int i = static_cast<int>(threadIdx.x); i < P::kSizeC; i += 32) to_d[i] = c[i];
    __syncwarp();
    multiply<P>(to_a, to_b, to_d, to_d);
    __syncwarp();
    for (int i = static_cast<int>(threadIdx.x); i < P::kSizeC; i += 32) d[i] = to_d[i];
  }
#endif
}

template <class T>
double number(T x) {
  return static_cast<double>(static_cast<float>(x));
}
double number(int x) { return x; }
double number(double x) { return x; }

std::size_t index(int row, int column, int stride, bool rows) {
  return static_cast<std::size_t>(rows ? row * stride + column : column * stride + row);
}

// The operands are small integers, so every sum is exact in every type and in any order.
template <class P>
void check_product() {
  if (code_architecture() < P::kArchitecture) return;
  std::mt19937 random(P::kM + 100 * P::kARows + 200 * P::kBRows);
  using Element = typename P::Element;
  using Out = typename P::Out;
  std::vector<Element> a(P::kSizeA), b(P::kSizeB);
  std::vector<Out> c(P::kSizeC);
  for (Element& x : a) x = static_cast<Element>(static_cast<float>(random() % 7));
  for (Element& x : b) x = static_cast<Element>(static_cast<float>(random() % 6));
  for (Out& x : c) x = static_cast<Out>(static_cast<float>(random() % 100) - 50.0f);
  DeviceArray<Element> device_a(a), device_b(b);
  DeviceArray<Out> device_c(c), of_global(c), of_shared(c);
  from_global<P><<<1, 32>>>(device_a.get(), device_b.get(), device_c.get(), of_global.get());
  const std::size_t shared = P::kSizeC * sizeof(Out) + (P::kSizeA + P::kSizeB) * sizeof(Element);
  from_shared<P><<<1, 32, shared>>>(device_a.get(), device_b.get(), device_c.get(), of_shared.get());
  const auto global_d = of_global.read(), shared_d = of_shared.read();
  for (int row = 0; row < P::kM; ++row)
    for (int column = 0; column < P::kN; ++column) {
      const std::size_t place = index(row, column, P::kStrideC, P::kCRows);
      double sum = number(c[place]);
      for (int k = 0; k < P::kK; ++k)
        sum += number(a[index(row, k, P::kStrideA, P::kARows)]) * number(b[index(k, column, P::kStrideB, P::kBRows)]);
      ASSERT_EQ(number(global_d[place]), 2 * sum) << row << ", " << column;
      ASSERT_EQ(number(shared_d[place]), 2 * sum) << row << ", " << column;
    }
}

template <class In, class Out, int m, int n, int k, int needed>
void check_layouts() {
  SCOPED_TRACE(testing::Message() << m << " by " << n << " by " << k);
  check_product<Product<In, Out, m, n, k, true, false, true, needed>>();
  check_product<Product<In, Out, m, n, k, false, true, false, needed>>();
  check_product<Product<In, Out, m, n, k, true, true, false, needed>>();
}

template <class In, class Out, int needed>
void check_shapes() {
  check_layouts<In, Out, 16, 16, 16, needed>();
  check_layouts<In, Out, 32, 8, 16, needed>();
  check_layouts<In, Out, 8, 32, 16, needed>();
}

TEST(Wmma, Half) {
  check_shapes<__half, float, 75>();
  check_shapes<__half, __half, 75>();
}

// As in mma_rounding_test.cu: next to 1, each of these products is lost, although their exact sum is 2^-22.
TEST(Wmma, SumsAreTruncated) {
  using P = Product<__half, float, 16, 16, 16, true, false, true, 75>;
  const DeviceArray<__half> factors(P::kSizeA, __float2half(0x1p-13f));
  const DeviceArray<float> c(P::kSizeC, 1.0f);
  from_global<P><<<1, 32>>>(factors.get(), factors.get(), c.get(), c.get());
  EXPECT_EQ(c.read()[0], 2.0f);
}

TEST(Wmma, Bytes) {
  check_shapes<signed char, int, 75>();
  check_shapes<unsigned char, int, 75>();
}

TEST(Wmma, Brain) {
  if (code_architecture() < 80) GTEST_SKIP() << "bf16 is of sm_80 and later";
  check_shapes<__nv_bfloat16, float, 80>();
}

TEST(Wmma, TensorFloat) {
  if (code_architecture() < 80) GTEST_SKIP() << "tf32 is of sm_80 and later";
  check_layouts<Tensor, float, 16, 16, 8, 80>();
}

TEST(Wmma, Double) {
  if (code_architecture() < 80) GTEST_SKIP() << "f64 is of sm_80 and later";
  check_layouts<double, double, 8, 8, 4, 80>();
}

}  // namespace wmma_test

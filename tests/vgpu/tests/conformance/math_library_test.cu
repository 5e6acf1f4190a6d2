// SPDX-License-Identifier: Apache-2.0
//
// Compares CUDA's mathematical functions with the host's. They are long sequences of instructions that other tests
// check one by one. The allowed errors are those in the CUDA C++ Programming Guide, which were measured on GPUs. With
// errors of ex2.approx as large as the PTX ISA allows, which VGPU_PERTURB requests, expf would exceed them.
#include <cmath>
#include <limits>

#include "elementwise.cuh"

namespace conformance::math_library_test {

// The results are in the order of the tables below.
__global__ void of_singles(float* out, int count, const float* a) {
  const int i = Results<float>::index();
  if (i >= count) return;
  Results<float> results(out, count);
  const float x = a[i];
  for (const float value : {expf(x), exp2f(x), logf(fabsf(x)), log1pf(fabsf(x)), sinf(x), cosf(x), tanf(x), tanhf(x),
                            erff(x), atanf(x), cbrtf(x), sqrtf(fabsf(x)), expm1f(x), powf(fabsf(x), 1.7f)})
    results.put(value);
}

__global__ void of_doubles(double* out, int count, const double* a) {
  const int i = Results<double>::index();
  if (i >= count) return;
  Results<double> results(out, count);
  const double x = a[i];
  for (const double value :
       {exp(x), log(fabs(x)), sin(x), cos(x), tanh(x), erf(x), cbrt(x), sqrt(fabs(x)), pow(fabs(x), 1.7), 1 / x, x / 3})
    results.put(value);
}

// Returns one unit in the last place of x for a significand of `digits` bits.
double ulp(double x, int digits) { return std::ldexp(1, std::ilogb(x) + 1 - digits); }

// The exact value has a wider type than T.
template <class T, class Exact>
void compare(const char* name, double ulps, T x, T result, Exact exact) {
  const double error = static_cast<double>(std::fabs(Exact{result} - exact));
  const double unit = ulp(static_cast<double>(exact), std::numeric_limits<T>::digits);
  EXPECT_LE(error, ulps * unit) << name << "(" << x << ") is " << result;
}

TEST(MathLibrary, OfSingles) {
  std::vector<float> values;
  for (int i = 0; i < 4000; ++i) values.push_back((static_cast<float>(i) - 1999.5f) / 160);
  const std::vector<float> results = apply(of_singles, 14, values);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double x = double{values[j]}, size = std::fabs(x);
    const struct {
      const char* name;
      double ulps, exact;
    } functions[] = {{"expf", 1, std::exp(x)},     {"exp2f", 2, std::exp2(x)},
                     {"logf", 1, std::log(size)},  {"log1pf", 1, std::log1p(size)},
                     {"sinf", 2, std::sin(x)},     {"cosf", 2, std::cos(x)},
                     {"tanf", 4, std::tan(x)},     {"tanhf", 2, std::tanh(x)},
                     {"erff", 2, std::erf(x)},     {"atanf", 2, std::atan(x)},
                     {"cbrtf", 1, std::cbrt(x)},   {"sqrtf", 0.5, std::sqrt(size)},
                     {"expm1f", 1, std::expm1(x)}, {"powf", 4, std::pow(size, double{1.7f})}};
    for (std::size_t i = 0; i < 14; ++i)
      // The documented bound is relative to the correctly rounded result, which may differ from the exact value by
      // another half ulp.
      compare(functions[i].name, functions[i].ulps + 0.5, values[j], results[i * values.size() + j],
              functions[i].exact);
  }
}

TEST(MathLibrary, OfDoubles) {
  std::vector<double> values;
  for (int i = 0; i < 2000; ++i) values.push_back((i - 999.5) / 77);
  const std::vector<double> results = apply(of_doubles, 11, values);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const long double x = values[j], size = std::fabs(x);
    const struct {
      const char* name;
      double ulps;
      long double exact;
    } functions[] = {{"exp", 1, std::exp(x)},
                     {"log", 1, std::log(size)},
                     {"sin", 2, std::sin(x)},
                     {"cos", 2, std::cos(x)},
                     {"tanh", 1, std::tanh(x)},
                     {"erf", 2, std::erf(x)},
                     {"cbrt", 1, std::cbrt(x)},
                     {"sqrt", 0, std::sqrt(size)},
                     {"pow", 2, std::pow(size, static_cast<long double>(1.7))},
                     {"reciprocal", 0, 1 / x},
                     {"quotient", 0, x / 3}};
    for (std::size_t i = 0; i < 11; ++i)
      compare(functions[i].name, functions[i].ulps + 0.501, values[j], results[i * values.size() + j],
              functions[i].exact);
  }
}

}  // namespace conformance::math_library_test

// SPDX-License-Identifier: Apache-2.0
#include "exec/instructions/tensor_cores.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "exec/instructions/half.h"
#include "exec/instructions/matrix.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

constexpr std::size_t kMostColumns = 32;

// The exponent of values that do not affect the alignment. Added to the exponent of any factor, it remains less than
// that of any other addend.
constexpr int kNoExponent = -1000;

inline double two_to(int exponent) { return bits_as<double>(std::int64_t{1023 + exponent} << 52); }

// Returns the exponent with which x enters the alignment; subnormal numbers have the least one of their type. Infinity
// and NaN do not affect the alignment, since they determine the sum on their own.
inline int exponent_of(double x, int least) {
  const int field = static_cast<int>(bits_as<std::int64_t>(x) >> 52 & 0x7ff);
  return field == 0 || field == 0x7ff ? kNoExponent : std::max(field - 1023, least);
}

// Returns x rounded toward zero, or infinity if |x| >= 2^128.
inline float truncated(double x) {
  const auto nearest = static_cast<float>(x);
  const bool is_larger = std::fabs(static_cast<double>(nearest)) > std::fabs(x) && std::fabs(x) < 0x1p128;
  return bits_as<float>(bits_as<std::uint32_t>(nearest) - (is_larger ? 1u : 0u));
}

struct Addition {
  __attribute__((always_inline)) static inline void run(const TensorCore& core, const double* a, const double* b,
                                                        double* sum, std::size_t rows, std::size_t columns,
                                                        std::size_t depth) {
    // However small the addends are, they are aligned to at least this exponent: -132 or -133, as measured.
    const int least = -108 - core.fraction_bits;
    std::array<int, kMostElements> b_exponents;
    for (std::size_t i = 0; i < depth * columns; ++i) b_exponents[i] = exponent_of(b[i], core.least_factor_exponent);
    std::array<int, kMostColumns> exponents;
    std::array<double, kMostColumns> totals;  // in units of the last bit
    for (std::size_t row = 0; row < rows; ++row) {
      double* accumulators = &sum[row * columns];
      for (std::size_t first = 0; first < depth; first += core.products) {
        const std::size_t last = std::min(first + core.products, depth);
        for (std::size_t column = 0; column < columns; ++column)
          exponents[column] = std::max(exponent_of(accumulators[column], Single::kMinExponent), least);
        for (std::size_t k = first; k < last; ++k) {
          const int exponent = exponent_of(a[row * depth + k], core.least_factor_exponent);
          for (std::size_t column = 0; column < columns; ++column)
            exponents[column] = std::max(exponents[column], exponent + b_exponents[k * columns + column]);
        }
        for (std::size_t column = 0; column < columns; ++column)
          totals[column] = std::trunc(accumulators[column] * two_to(core.fraction_bits - exponents[column]));
        for (std::size_t k = first; k < last; ++k) {
          const double factor = a[row * depth + k];
          for (std::size_t column = 0; column < columns; ++column)
            totals[column] +=
                std::trunc(factor * b[k * columns + column] * two_to(core.fraction_bits - exponents[column]));
        }
        // Adding zero makes a negative zero positive.
        for (std::size_t column = 0; column < columns; ++column)
          accumulators[column] = truncated((totals[column] + 0.0) * two_to(exponents[column] - core.fraction_bits));
      }
    }
  }
};

}  // namespace

TensorCore tensor_core_of(std::uint32_t architecture, ptx::Type factors) {
  const bool is_hopper_or_later = architecture >= 90;
  const std::size_t bytes = is_hopper_or_later ? 32 : 16;
  TensorCore core{is_hopper_or_later ? 25 : 24, bytes / 2, Half::kMinExponent};
  if (factors == ptx::Type::kTF32) core.products = bytes / 4;
  if (factors != ptx::Type::kF16) core.least_factor_exponent = Tensor32::kMinExponent;
  return core;
}

void add_products(const TensorCore& core, const double* a, const double* b, double* sum, std::size_t rows,
                  std::size_t columns, std::size_t depth) {
  static const auto add = ForThisMachine<Addition, const TensorCore&, const double*, const double*, double*,
                                         std::size_t, std::size_t, std::size_t>::best();
  add(core, a, b, sum, rows, columns, depth);
}

}  // namespace vgpu

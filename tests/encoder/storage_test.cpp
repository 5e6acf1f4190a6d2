// SPDX-License-Identifier: Apache-2.0
//
// Functions on storage types: conversions, the search for non-finite values, and dropout, whose mask is the same in
// each type. All results must be exact.
#include <cstring>

#include "attn_cuda/recurrent.h"
#include "encoder/layer_runs.h"
#include "kernels/layer_formulas.h"
#include "support/random.h"

namespace attn::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kLeast = std::numeric_limits<float>::denorm_min();
constexpr std::int64_t kLarge = 100003;  // elements: several tasks, of which the last one is short

// Compares bits, except that every NaN equals every other one, because payloads are unspecified.
testing::AssertionResult equal(const std::vector<float>& got, const std::vector<float>& expected) {
  if (got.size() != expected.size()) return testing::AssertionFailure() << "sizes differ";
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!(std::isnan(got[i]) && std::isnan(expected[i])) && std::memcmp(&got[i], &expected[i], sizeof(float)) != 0)
      return testing::AssertionFailure() << "at " << i << " got " << got[i] << ", expected " << expected[i];
  return testing::AssertionSuccess();
}

// Every value of a 16-bit type, including both zeros, the infinities and every NaN.
std::vector<float> all_of(attn_dtype_t dtype) {
  std::vector<std::byte> bytes;
  for (unsigned bits = 0; bits < 1U << 16; ++bits) {
    bytes.push_back(static_cast<std::byte>(bits & 0xffU));
    bytes.push_back(static_cast<std::byte>(bits >> 8));
  }
  return decode(dtype, bytes);
}

// Values that decide how rounding works: each number of the type, the midpoint between it and the next, the fp32
// numbers adjacent to both, values beyond the range, and values that only fp32 can represent.
std::vector<float> decisive(attn_dtype_t dtype) {
  std::vector<float> values = {0.0f, -0.0f, kLeast, -kLeast, 1e-40f, kLargest, -kLargest, kInfinity, -kInfinity, kNan};
  for (const float number : all_of(dtype)) {
    const float magnitude = std::fabs(number);
    const Storage type = storage_of(dtype);
    const double unit = std::ldexp(type.epsilon(), std::max(std::ilogb(magnitude), type.least));
    const float middle = std::isfinite(number) ? static_cast<float>(magnitude + unit / 2) : magnitude;
    for (const float at : {magnitude, std::copysign(middle, number)})
      for (const float value : {std::nextafter(at, 0.0f), at, std::nextafter(at, std::copysign(kInfinity, at))})
        values.push_back(std::copysign(value, number));
  }
  return values;
}

std::vector<float> converted(const RunOptions& options, attn_dtype_t from, attn_dtype_t to,
                             const std::vector<float>& values) {
  const Handle handle = make_handle(options);
  Tensors tensors(handle, options);
  const void* const in = tensors.in(values, from);
  void* const out = tensors.out(static_cast<std::int64_t>(values.size()), to);
  check(attn_convert(handle.get(), static_cast<std::int64_t>(values.size()), from, in, to, out));
  tensors.expect_intact();
  return tensors.values(out);
}

using Convert = LayerTest;

TEST_P(Convert, RoundsToTheNearestTiesToEven) {
  const std::vector<float> values = decisive(dtype);
  EXPECT_TRUE(equal(converted(options, ATTN_DTYPE_FP32, dtype, values), narrow(rounded(dtype, widen(values)))));
}

TEST_P(Convert, ToFp32IsExact) {
  const std::vector<float> values = all_of(dtype);
  EXPECT_TRUE(equal(converted(options, dtype, ATTN_DTYPE_FP32, values), values));
}

TEST_P(Convert, ToTheSameTypeCopies) {
  for (const attn_dtype_t type : {dtype, ATTN_DTYPE_FP32}) {
    const std::vector<float> values = all_of(dtype);
    EXPECT_TRUE(equal(converted(options, type, type, values), values)) << name_of(type);
  }
}

TEST_P(Convert, AnySizeAtAnyAlignment) {
  RunOptions shifted = options;
  for (const std::int64_t N : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{5},
                               std::int64_t{31}, std::int64_t{32}, std::int64_t{33}, std::int64_t{1001}, kLarge})
    for (shifted.misalignment = 0; shifted.misalignment < 8; ++shifted.misalignment) {
      const std::vector<float> values = Random(1).normal(N), expected = narrow(rounded(dtype, widen(values)));
      SCOPED_TRACE(testing::Message() << N << " at " << shifted.misalignment);
      EXPECT_TRUE(equal(converted(shifted, ATTN_DTYPE_FP32, dtype, values), expected));
      EXPECT_TRUE(equal(converted(shifted, dtype, ATTN_DTYPE_FP32, values), expected));
    }
  check(attn_convert(handle.get(), 0, ATTN_DTYPE_FP32, nullptr, dtype, nullptr));
  check(attn_convert(handle.get(), 0, dtype, nullptr, dtype, nullptr));
}

INSTANTIATE_TEST_SUITE_P(Runs, Convert, testing::ValuesIn(layer_runs(kHalfStorage)), testing::PrintToStringParamName());

using FindNonfinite = LayerTest;

std::int32_t found_in(const Handle& handle, const RunOptions& options, const std::vector<float>& numbers) {
  Tensors tensors(handle, options);
  float* const found = tensors.out(1);  // the flag, which is as large as an fp32 element
  check(attn_find_nonfinite(handle.get(), static_cast<std::int64_t>(numbers.size()), tensors.in(numbers),
                            reinterpret_cast<std::int32_t*>(found)));
  tensors.expect_intact();
  const std::vector<float> value = tensors.values(found);
  std::int32_t result = -1;
  std::memcpy(&result, value.data(), sizeof result);
  return result;
}

TEST_P(FindNonfinite, TakesFiniteNumbersForWhatTheyAre) {
  const float finite[] = {0.0f, -0.0f, kLargest, -kLargest, kLeast, -1e-40f};
  for (const std::int64_t N : {std::int64_t{0}, std::int64_t{1}, std::int64_t{31}, kLarge}) {
    std::vector<float> numbers = Random(2).normal(N);
    for (std::size_t i = 0; i < numbers.size(); i += 3) numbers[i] = finite[i % 6];
    EXPECT_EQ(found_in(handle, options, numbers), 0) << N;
  }
  EXPECT_EQ(found_in(handle, options, {kLargest}), 0);
}

TEST_P(FindNonfinite, FindsOneAnywhere) {
  for (const std::int64_t N : {std::int64_t{1}, std::int64_t{31}, kLarge})
    for (const std::int64_t place : {std::int64_t{0}, N / 2, N - 1})
      for (const float number : {kNan, -kNan, kInfinity, -kInfinity}) {
        std::vector<float> numbers = Random(2).normal(N);
        numbers[static_cast<std::size_t>(place)] = number;
        EXPECT_EQ(found_in(handle, options, numbers), 1) << number << " at " << place << " of " << N;
      }
}

INSTANTIATE_TEST_SUITE_P(Runs, FindNonfinite, testing::ValuesIn(layer_runs()), testing::PrintToStringParamName());

using Dropout = LayerTest;

// Kept elements are multiplied in fp32 and rounded once. Which elements are kept depends only on their indices.
TEST_P(Dropout, KeepsTheSameElementsInEachTypeAndRoundsTheRest) {
  for (const std::int64_t N : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5}, std::int64_t{33}, kLarge}) {
    const kernels::DropoutMask mask = kernels::dropout_mask(0.3f, 5, 2);
    const std::vector<float> values = narrow(rounded(dtype, widen(Random(3).normal(N))));
    std::vector<float> expected;
    for (std::int64_t i = 0; i < N; ++i) {
      const bool kept = mask.words(i / 4).words[i % 4] >= mask.threshold;
      const float scaled = values[static_cast<std::size_t>(i)] * (1 / (1 - 0.3f));
      expected.push_back(kept ? static_cast<float>(rounded(dtype, scaled)) : 0.0f);
    }
    Tensors tensors(handle, options);
    void *const in = const_cast<void*>(tensors.in(values, dtype)), *const out = tensors.out(N, dtype);
    check(attn_dropout(handle.get(), dtype, N, 0.3f, 5, 2, in, out));
    check(attn_dropout(handle.get(), dtype, N, 0.3f, 5, 2, in, in));
    tensors.expect_intact();
    EXPECT_TRUE(equal(tensors.values(out), expected)) << N;
    EXPECT_TRUE(equal(tensors.values(in), expected)) << N << ", in place";
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, Dropout, testing::ValuesIn(layer_runs(kAnyStorage)), testing::PrintToStringParamName());

}  // namespace
}  // namespace attn::test

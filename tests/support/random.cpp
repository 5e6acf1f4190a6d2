// SPDX-License-Identifier: Apache-2.0
#include "support/random.h"

#include <algorithm>

namespace attn::test {
namespace {

template <class Value, class Distribution>
std::vector<Value> draw(std::int64_t count, Distribution distribution, std::mt19937_64& engine) {
  std::vector<Value> values(static_cast<std::size_t>(count));
  for (Value& value : values) value = distribution(engine);
  return values;
}

}  // namespace

std::vector<float> Random::uniform(std::int64_t count, float low, float high) {
  return draw<float>(count, std::uniform_real_distribution<float>(low, high), engine_);
}

std::vector<float> Random::normal(std::int64_t count, float deviation) {
  return draw<float>(count, std::normal_distribution<float>(0, deviation), engine_);
}

std::vector<std::int32_t> Random::integers(std::int64_t count, std::int32_t low, std::int32_t high) {
  return draw<std::int32_t>(count, std::uniform_int_distribution<std::int32_t>(low, high), engine_);
}

std::vector<std::int32_t> Random::lengths(std::int64_t B, std::int64_t T) {
  std::vector<std::int32_t> lengths = integers(B, 0, static_cast<std::int32_t>(T));
  if (B > 0) lengths[0] = static_cast<std::int32_t>(T);
  if (B > 1) lengths[1] = 0;
  return lengths;
}

std::vector<double> widen(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<float> narrow(const std::vector<double>& values) {
  std::vector<float> narrowed(values.size());
  std::transform(values.begin(), values.end(), narrowed.begin(),
                 [](double value) { return static_cast<float>(value); });
  return narrowed;
}

}  // namespace attn::test

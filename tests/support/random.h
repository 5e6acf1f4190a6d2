// SPDX-License-Identifier: Apache-2.0
//
// Seeded random inputs. They are generated in fp32, so that the reference gets exactly the same numbers in double
// precision.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace attn::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::vector<float> uniform(std::int64_t count, float low, float high);  // [count], from low to high
  std::vector<float> normal(std::int64_t count, float deviation = 1);     // [count], with mean 0
  std::vector<std::int32_t> integers(std::int64_t count, std::int32_t low,
                                     std::int32_t high);  // [count], from low to high inclusive

  // [B] key lengths in 0..T: the first is T, the second 0, the others are random.
  std::vector<std::int32_t> lengths(std::int64_t B, std::int64_t T);

 private:
  std::mt19937_64 engine_;
};

std::vector<double> widen(const std::vector<float>& values);
std::vector<float> narrow(const std::vector<double>& values);

}  // namespace attn::test

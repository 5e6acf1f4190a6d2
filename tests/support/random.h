// SPDX-License-Identifier: Apache-2.0
//
// Seeded inputs. They are made in fp32, and the reference gets the same numbers widened to double.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace attn::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::vector<float> uniform(std::int64_t count, float low, float high);  // [count] in low..high
  std::vector<float> normal(std::int64_t count, float deviation = 1);     // [count] of mean 0
  std::vector<std::int32_t> integers(std::int64_t count, std::int32_t low,
                                     std::int32_t high);  // [count], both included

  // [B] key lengths in 0..T: the first is T, the second 0, the others anything between.
  std::vector<std::int32_t> lengths(std::int64_t B, std::int64_t T);

 private:
  std::mt19937_64 engine_;
};

std::vector<double> widen(const std::vector<float>& values);
std::vector<float> narrow(const std::vector<double>& values);

}  // namespace attn::test

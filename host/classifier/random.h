// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that are the same on every platform (the standard specifies the engines exactly, but not the
// distributions) and whose state can be saved.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace attn::classifier {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  // Standard normal. Uses one half of a Box-Muller pair only, so that the engine is the whole state.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  // In 0..count-1, count >= 1, without the bias of a plain remainder.
  std::uint64_t below(std::uint64_t count) {
    const std::uint64_t limit = std::mt19937_64::max() - std::mt19937_64::max() % count;
    std::uint64_t value = engine_();
    while (value >= limit) value = engine_();
    return value % count;
  }

  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

  std::string state() const {
    std::ostringstream text;
    text << engine_;
    return text.str();
  }
  // Returns false if `state` was not returned by state().
  bool restore(const std::string& state) {
    std::istringstream text(state);
    return static_cast<bool>(text >> engine_);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace attn::classifier

// SPDX-License-Identifier: Apache-2.0
//
// Maps weights to colours, in the same way for page, picture and terminal.
#pragma once

#include <algorithm>
#include <cmath>

#include "classifier/explain/explanation.h"

namespace attn::classifier {

struct Rgb {
  int red, green, blue;  // 0..255
};

struct Scheme {
  Rgb paper, ink, heat;  // the background of a word is between paper and heat, its letters are ink
};

constexpr Scheme kLight = {{255, 255, 255}, {28, 25, 23}, {255, 167, 20}};
constexpr Scheme kDark = {{27, 27, 30}, {237, 235, 232}, {160, 74, 8}};

// The background of the terminal is unknown, so the weakest shade is midway between black and white, and strength is
// visible as saturation on either. The letters are black.
constexpr Rgb kTerminalWeak = {150, 136, 112};
constexpr Rgb kTerminalStrong = {255, 160, 0};

inline Rgb mix(Rgb from, Rgb to, double strength) {
  const auto channel = [&](int a, int b) { return static_cast<int>(std::lround(a + (b - a) * strength)); };
  return {channel(from.red, to.red), channel(from.green, to.green), channel(from.blue, to.blue)};
}

// Relative luminance as WCAG defines it, from 0 (black) to 1 (white).
inline double luminance(Rgb colour) {
  const auto linear = [](int value) {
    const double share = value / 255.0;
    return share <= 0.04045 ? share / 12.92 : std::pow((share + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
}

// The filled fraction of a bar; 0 for NaN.
inline double filled(double share) { return share > 0 ? std::min(share, 1.0) : 0.0; }

// The weights at which colour begins and at which it is full.
struct Shade {
  double even;  // the weight of each word if all had the same, which gets no colour
  double full;  // the largest weight, but at least twice the even share, so that uniform attention looks uniform

  // In 0..1; 0 for NaN.
  double strength(double weight) const { return weight > even ? std::min((weight - even) / (full - even), 1.0) : 0.0; }
};

inline Shade shade_of(const Explanation& review) {
  double sum = 0, strongest = 0;
  for (const WeightedWord& word : review.words) {
    sum += word.weight;
    strongest = std::max(strongest, word.weight);
  }
  const double even = review.words.empty() ? 0 : sum / static_cast<double>(review.words.size());
  return {even, std::max(strongest, 2 * even)};
}

}  // namespace attn::classifier

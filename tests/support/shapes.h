// SPDX-License-Identifier: Apache-2.0
//
// The shapes that the parity tests use. Lengths and widths lie around 1, 32 and 128 and at 1000. Every dimension takes
// each of these values, but not every combination occurs, so that the double-precision reference stays within seconds.
// The last rows are the empty shapes.
#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

namespace attn::test {

struct AdditiveShape {
  std::int64_t B, Q, T, A, D;
};

struct PoolingShape {
  std::int64_t B, T, D;
};

struct ProjectedShape {
  std::int64_t B, Q, T, A, D, H;
  bool shared_query;
};

struct LstmShape {
  std::int64_t B, T, E, H;
  std::int32_t directions = 2;
};

inline std::vector<AdditiveShape> additive_shapes() {
  return {{1, 1, 1, 1, 1},     {2, 3, 3, 31, 32},    {3, 1, 31, 33, 129},  {2, 2, 32, 3, 127},    {2, 33, 33, 32, 31},
          {3, 1, 127, 129, 3}, {2, 5, 128, 127, 33}, {2, 31, 129, 1, 128}, {4, 1, 129, 128, 1},   {1, 129, 31, 31, 3},
          {2, 1, 1000, 7, 64}, {2, 2, 13, 1000, 5},  {2, 2, 7, 11, 1000},  {2, 1, 200, 128, 128}, {2, 67, 161, 33, 40},
          {0, 2, 3, 4, 5},     {2, 0, 3, 4, 5},      {2, 3, 0, 4, 5}};
}

// A smaller selection for 16-bit storage, whose arithmetic is that of fp32: one row for each code path that loads or
// stores a tensor, with at least three tiles of each kind and incomplete last tiles.
inline std::vector<AdditiveShape> narrow_additive_shapes() {
  return {{1, 1, 1, 1, 1},       {2, 3, 3, 31, 32},     {3, 1, 127, 129, 3},  {2, 2, 300, 67, 130},
          {2, 37, 261, 68, 263}, {2, 1, 700, 300, 260}, {2, 1, 40, 128, 128}, {1, 70, 150, 20, 36},
          {0, 2, 3, 4, 5},       {2, 0, 3, 4, 5},       {2, 3, 0, 4, 5}};
}

inline std::vector<PoolingShape> pooling_shapes() {
  return {{1, 1, 1},     {3, 3, 31},    {5, 31, 33},  {3, 32, 128},   {3, 33, 3}, {3, 127, 32}, {3, 128, 129},
          {3, 129, 127}, {3, 1000, 17}, {3, 5, 1000}, {32, 200, 128}, {0, 3, 4},  {2, 0, 4}};
}

inline std::vector<PoolingShape> narrow_pooling_shapes() {
  return {{1, 1, 1}, {3, 33, 3}, {3, 128, 129}, {3, 700, 260}, {3, 5, 1000}, {2, 30, 2051}, {0, 3, 4}, {2, 0, 4}};
}

inline std::vector<ProjectedShape> projected_shapes() {
  return {{1, 1, 1, 1, 1, 1, false},      {2, 3, 31, 33, 32, 3, false},   {3, 1, 33, 32, 129, 127, true},
          {2, 2, 128, 31, 33, 128, true}, {2, 33, 3, 128, 31, 32, false}, {2, 1, 129, 127, 3, 129, true},
          {2, 2, 1000, 3, 7, 5, false},   {0, 2, 3, 4, 5, 6, false},      {0, 2, 3, 4, 5, 6, true},
          {2, 0, 3, 4, 5, 6, false},      {2, 3, 0, 4, 5, 6, true}};
}

inline std::vector<LstmShape> lstm_shapes() {
  return {{1, 1, 1, 1},      {2, 3, 31, 33},   {3, 31, 3, 32},   {5, 33, 33, 3}, {2, 32, 128, 31},
          {2, 7, 32, 128},   {3, 129, 5, 7},   {2, 5, 127, 129}, {0, 3, 4, 5},   {2, 0, 4, 5},
          {3, 33, 5, 31, 1}, {9, 4, 33, 3, 1}, {0, 2, 3, 4, 1}};
}

inline std::ostream& operator<<(std::ostream& out, const AdditiveShape& s) {
  return out << "B" << s.B << "_Q" << s.Q << "_T" << s.T << "_A" << s.A << "_D" << s.D;
}

inline std::ostream& operator<<(std::ostream& out, const PoolingShape& s) {
  return out << "B" << s.B << "_T" << s.T << "_D" << s.D;
}

inline std::ostream& operator<<(std::ostream& out, const ProjectedShape& s) {
  return out << "B" << s.B << "_Q" << s.Q << "_T" << s.T << "_A" << s.A << "_D" << s.D << "_H" << s.H
             << (s.shared_query ? "_shared" : "");
}

inline std::ostream& operator<<(std::ostream& out, const LstmShape& s) {
  return out << "B" << s.B << "_T" << s.T << "_E" << s.E << "_H" << s.H << (s.directions == 1 ? "_forward" : "");
}

}  // namespace attn::test

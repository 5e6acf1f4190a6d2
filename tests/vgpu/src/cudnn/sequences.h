// SPDX-License-Identifier: Apache-2.0
//
// Sequences of different lengths, as the computation walks them and as they lie in memory.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cudnn {

enum class Layout { kTimeMajor, kPacked, kBatchMajor };

struct Sequences {
  Layout layout = Layout::kTimeMajor;
  std::size_t longest = 0, batch = 0;
  std::vector<std::size_t> lengths;  // [batch]

  // While computing every sequence has as many rows as the longest may have, by time, then by sequence.
  std::size_t padded_rows() const { return longest * batch; }
  std::size_t padded_row(std::size_t time, std::size_t sequence) const { return time * batch + sequence; }
  bool holds(std::size_t time, std::size_t sequence) const { return time < lengths[sequence]; }

  // A direction's n-th step in a sequence that is that long.
  std::size_t time_of(std::size_t step, std::size_t sequence, bool reversed) const {
    return reversed ? lengths[sequence] - 1 - step : step;
  }

  // In memory: how many rows, and of each padded row which; rows that do not lie in memory are those beyond the end of a
  // sequence in the packed layout.
  std::size_t memory_rows() const;
  std::vector<std::size_t> memory_row_of_padded_rows() const;
};

}  // namespace vgpu::cudnn

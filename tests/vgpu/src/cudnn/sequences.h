// SPDX-License-Identifier: Apache-2.0
//
// Sequences of different lengths: their order in the computation and their layout in memory.
#pragma once

#include <cstddef>
#include <vector>

namespace vgpu::cudnn {

enum class Layout { kTimeMajor, kPacked, kBatchMajor };

struct Sequences {
  Layout layout = Layout::kTimeMajor;
  std::size_t longest = 0, batch = 0;
  std::vector<std::size_t> lengths;  // [batch]

  // In the computation, every sequence is padded to the maximum length. Rows are ordered by time step, then by
  // sequence.
  std::size_t padded_rows() const { return longest * batch; }
  std::size_t padded_row(std::size_t time, std::size_t sequence) const { return time * batch + sequence; }
  bool holds(std::size_t time, std::size_t sequence) const { return time < lengths[sequence]; }

  // Returns the time of the n-th step of a direction in a sequence of this length.
  std::size_t time_of(std::size_t step, std::size_t sequence, bool reversed) const {
    return reversed ? lengths[sequence] - 1 - step : step;
  }

  // The number of rows in memory, and the row in memory of each padded row. In the packed layout, rows beyond the end
  // of a sequence are not in memory.
  std::size_t memory_rows() const;
  std::vector<std::size_t> memory_row_of_padded_rows() const;
};

}  // namespace vgpu::cudnn

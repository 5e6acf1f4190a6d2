// SPDX-License-Identifier: Apache-2.0
#include "cudnn/sequences.h"

#include <numeric>

namespace vgpu::cudnn {

std::size_t Sequences::memory_rows() const {
  if (layout != Layout::kPacked) return padded_rows();
  return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
}

std::vector<std::size_t> Sequences::memory_row_of_padded_rows() const {
  std::vector<std::size_t> rows(padded_rows());
  std::size_t next = 0;
  for (std::size_t time = 0; time < longest; ++time) {
    for (std::size_t sequence = 0; sequence < batch; ++sequence) {
      const std::size_t padded = padded_row(time, sequence);
      rows[padded] = layout == Layout::kBatchMajor ? sequence * longest + time
                     : layout == Layout::kPacked   ? next
                                                   : padded;
      if (holds(time, sequence)) ++next;
    }
  }
  return rows;
}

}  // namespace vgpu::cudnn

// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/projection.h"

#include "encoder/cpu/onednn.h"
#include "encoder/cpu/tasks.h"

namespace attn::cpu {
namespace {

constexpr std::int64_t kRows = 256;  // of a task: its part of x and y stays in a core's cache
constexpr std::int64_t kTile = 64;   // edge of a task's part of a weight gradient, in both directions

// body(first, count) for runs of valid rows that stand together, numbered through the batch.
template <class Body>
void for_row_runs(int threads, Sequences rows, const Body& body) {
  if (rows.lengths == nullptr) rows = {1, rows.B * rows.T, nullptr};
  const std::int64_t runs = (rows.T + kRows - 1) / kRows;
  run_tasks(threads, rows.B * runs, [&](std::int64_t task) {
    const std::int64_t b = task / runs, first = task % runs * kRows;
    const std::int64_t count = std::min(kRows, rows.length(b) - first);
    if (count > 0) body(b * rows.T + first, count);
  });
}

}  // namespace

void project(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* x, const float* w,
             float* y) {
  for_row_runs(threads, rows, [&](std::int64_t first, std::int64_t count) {
    gemm(count, M, N, {x + first * N, N}, {w, N, true}, y + first * M, M, false);
  });
}

void project_back(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* w,
                  float* d_x, bool accumulate) {
  for_row_runs(threads, rows, [&](std::int64_t first, std::int64_t count) {
    gemm(count, N, M, {d_y + first * M, M}, {w, N}, d_x + first * N, N, accumulate);
  });
}

void projection_gradient(int threads, const Sequences& rows, std::int64_t M, std::int64_t N, const float* d_y,
                         const float* x, float* d_w) {
  const Sequences items = rows.lengths == nullptr ? Sequences{1, rows.B * rows.T, nullptr} : rows;
  run_pieces(threads, M, kTile, [&](std::int64_t m, std::int64_t m_end) {
    for (std::int64_t row = m; row < m_end; ++row) std::fill_n(d_w + row * N, N, 0.0f);
  });
  const std::int64_t columns = (N + kTile - 1) / kTile;
  run_tasks(threads, (M + kTile - 1) / kTile * columns, [&](std::int64_t tile) {
    const std::int64_t m = tile / columns * kTile, n = tile % columns * kTile;
    for (std::int64_t b = 0; b < items.B; ++b)
      if (items.length(b) > 0)
        gemm(std::min(kTile, M - m), std::min(kTile, N - n), items.length(b), {d_y + b * items.T * M + m, M, true},
             {x + b * items.T * N + n, N}, d_w + m * N + n, N, true);
  });
}

}  // namespace attn::cpu

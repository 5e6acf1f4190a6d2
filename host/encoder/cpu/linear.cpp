// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/linear.h"

#include <algorithm>

#include "base/key_rows.h"
#include "base/parallel.h"
#include "encoder/cpu/onednn.h"

namespace attn::internal::cpu {
namespace {

constexpr std::int64_t kRows = 256;     // per task, whose rows of x and y stay in a core's cache
constexpr std::int64_t kTile = 64;      // rows and columns of a weight gradient per task
constexpr std::int64_t kSummed = 1024;  // columns per task of a sum over items

ItemRows as_one_item(const ItemRows& rows) {
  return rows.lengths == nullptr ? ItemRows{1, rows.B * rows.T, nullptr} : rows;
}

std::int64_t length(const ItemRows& rows, std::int64_t b) { return valid_length(rows.lengths, b, rows.T); }

// Calls body(first, count) for runs of consecutive valid rows, numbered through the batch.
template <class Body>
void for_row_runs(int threads, const ItemRows& all, const Body& body) {
  const ItemRows rows = as_one_item(all);
  const std::int64_t runs = (rows.T + kRows - 1) / kRows;
  parallel_for(threads, rows.B * runs, [&](std::int64_t task) {
    const std::int64_t b = task / runs, first = task % runs * kRows;
    const std::int64_t count = std::min(kRows, length(rows, b) - first);
    if (count > 0) body(b * rows.T + first, count);
  });
}

}  // namespace

void CpuLinear::project(const LinearMap& map, const void* x_tensor, const float* w, const float* b, void* y_tensor) {
  const std::int64_t M = map.M, N = map.N;
  const auto* const x = static_cast<const float*>(x_tensor);
  auto* const y = static_cast<float*>(y_tensor);
  for_row_runs(threads(), map.rows, [&](std::int64_t first, std::int64_t count) {
    if (b != nullptr)
      for (std::int64_t row = first; row < first + count; ++row) std::copy_n(b, M, y + row * M);
    gemm(count, M, N, {x + first * N, N}, {w, N, true}, y + first * M, M, b != nullptr);
  });
}

void CpuLinear::project_back(const LinearMap& map, const void* d_y_tensor, const float* w, void* d_x_tensor,
                             bool accumulate) {
  const std::int64_t M = map.M, N = map.N;
  const auto* const d_y = static_cast<const float*>(d_y_tensor);
  auto* const d_x = static_cast<float*>(d_x_tensor);
  for_row_runs(threads(), map.rows, [&](std::int64_t first, std::int64_t count) {
    gemm(count, N, M, {d_y + first * M, M}, {w, N}, d_x + first * N, N, accumulate);
  });
}

void CpuLinear::weight_gradient(const LinearMap& map, const void* d_y_tensor, const void* x_tensor, float* d_w) {
  const std::int64_t M = map.M, N = map.N;
  const auto* const d_y = static_cast<const float*>(d_y_tensor);
  const auto* const x = static_cast<const float*>(x_tensor);
  const ItemRows items = as_one_item(map.rows);
  parallel_for_slices(threads(), M, kTile, [&](std::int64_t m, std::int64_t m_end) {
    for (std::int64_t row = m; row < m_end; ++row) std::fill_n(d_w + row * N, N, 0.0f);
  });
  const std::int64_t columns = (N + kTile - 1) / kTile;
  parallel_for(threads(), (M + kTile - 1) / kTile * columns, [&](std::int64_t tile) {
    const std::int64_t m = tile / columns * kTile, n = tile % columns * kTile;
    for (std::int64_t b = 0; b < items.B; ++b)
      if (length(items, b) > 0)
        gemm(std::min(kTile, M - m), std::min(kTile, N - n), length(items, b), {d_y + b * items.T * M + m, M, true},
             {x + b * items.T * N + n, N}, d_w + m * N + n, N, true);
  });
}

void CpuLinear::bias_gradient(const LinearMap& map, const void* d_y_tensor, float* d_b) {
  const std::int64_t M = map.M;
  const ItemRows& rows = map.rows;
  const auto* const d_y = static_cast<const float*>(d_y_tensor);
  parallel_for_slices(threads(), M, kTile, [&](std::int64_t begin, std::int64_t end) {
    std::fill(d_b + begin, d_b + end, 0.0f);
    for (std::int64_t b = 0; b < rows.B; ++b)
      for (std::int64_t t = 0; t < length(rows, b); ++t)
        for (std::int64_t m = begin; m < end; ++m) d_b[m] += d_y[(b * rows.T + t) * M + m];
  });
}

void CpuLinear::repeat_first(const Items& items, void* tensor) {
  auto* const first = static_cast<float*>(tensor);
  parallel_for(threads(), items.B - 1, [&](std::int64_t b) { std::copy_n(first, items.N, first + (b + 1) * items.N); });
}

void CpuLinear::sum_items(const Items& items, const void* tensor, float* sum) {
  const std::int64_t B = items.B, N = items.N;
  const auto* const values = static_cast<const float*>(tensor);
  parallel_for_slices(threads(), N, kSummed, [&](std::int64_t begin, std::int64_t end) {
    if (sum != values) std::copy(values + begin, values + end, sum + begin);
    for (std::int64_t b = 1; b < B; ++b)
      for (std::int64_t i = begin; i < end; ++i) sum[i] += values[b * N + i];
  });
}

void CpuLinear::fill_zero(std::int64_t count, float* values) { std::fill_n(values, count, 0.0f); }

}  // namespace attn::internal::cpu

// SPDX-License-Identifier: Apache-2.0
//
// All rows go into a product, those of the padding too: a device does not tell its lengths to the host. Where they would
// count they are zero, d_y as its maker left it and x in a copy.
#include "encoder/cuda/linear.h"

#include <algorithm>

#include "cuda/storage.h"
#include "kernels/encoder.h"

namespace attn::cuda {
namespace {

using kernels::Index;

// The product's workspace comes first; sums of rows have the whole for their parts.
struct Workspace : kernels::Layout {
  Index product, x;
  Workspace(const ItemRows& rows, std::int64_t N)
      : product(take(Cublas::kWorkspaceBytes, 1)), x(take_rows(rows.B * rows.T, N)) {}
};

}  // namespace

std::size_t CudaLinear::workspace_bytes(const ItemRows& rows, std::int64_t N) const {
  return static_cast<std::size_t>(Workspace(rows, N).bytes());
}

void CudaLinear::project(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* x, const float* w,
                         const float* b, float* y, void* workspace) {
  multiply({rows.B * rows.T, M, N, {x}, {w, true}, b, false, y}, workspace);
}

void CudaLinear::project_back(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* w,
                              float* d_x, bool accumulate, void* workspace) {
  multiply({rows.B * rows.T, N, M, {d_y}, {w}, nullptr, accumulate, d_x}, workspace);
}

void CudaLinear::weight_gradient(const ItemRows& rows, std::int64_t M, std::int64_t N, const float* d_y, const float* x,
                                 float* d_w, void* workspace) {
  if (rows.lengths != nullptr) {
    float* const copy = piece(workspace, Workspace(rows, N).x);
    check(kernels::launch_copy_rows({rows.B, rows.T, N, x, false, rows.lengths, copy}, stream_), "copy_rows");
    x = copy;
  }
  multiply({M, N, rows.B * rows.T, {d_y, true}, {x}, nullptr, false, d_w}, workspace);
}

void CudaLinear::bias_gradient(const ItemRows& rows, std::int64_t M, const float* d_y, float* d_b, void* workspace) {
  sum_rows<float>(d_y, rows.B * rows.T, M, static_cast<float*>(workspace), d_b, stream_);
}

void CudaLinear::repeat_first(std::int64_t B, std::int64_t N, float* items) {
  check(kernels::launch_copy_rows({B - 1, 1, N, items, true, nullptr, items + N}, stream_), "copy_rows");
}

void CudaLinear::sum_into_first(std::int64_t B, std::int64_t N, float* items, void* workspace) {
  sum_rows<float>(items, B, N, static_cast<float*>(workspace), items, stream_);
}

void CudaLinear::fill_zero(std::int64_t count, float* values) {
  check(cudaMemsetAsync(values, 0, static_cast<std::size_t>(count) * sizeof(float), stream_), "cudaMemsetAsync");
}

}  // namespace attn::cuda

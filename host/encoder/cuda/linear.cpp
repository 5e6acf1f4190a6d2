// SPDX-License-Identifier: Apache-2.0
//
// All rows go into a product, those of the padding too: a device does not tell its lengths to the host. Where they would
// count they are zero, d_y as its maker left it and x in a copy.
#include "encoder/cuda/linear.h"

#include <algorithm>

#include "base/dtype.h"
#include "cuda/storage.h"
#include "encoder/cuda/layers.h"
#include "kernels/encoder.h"

namespace attn::internal::cuda {
namespace {

using kernels::Index;

struct Workspace : Layout {
  Index product, x, w, b;
  Workspace(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N)
      : product(add(Cublas::kWorkspaceBytes, 1)),
        x(add_rows(rows.B * rows.T, N, size(dtype))),
        w(add_rows(dtype == ATTN_DTYPE_FP32 ? 0 : M, N, size(dtype))),
        b(add(dtype == ATTN_DTYPE_FP32 ? 0 : M, size(dtype))) {}
  static Index size(attn_dtype_t dtype) { return static_cast<Index>(element_bytes(dtype)); }
};

}  // namespace

std::size_t CudaLinear::workspace_bytes(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M,
                                        std::int64_t N) const {
  return std::max(static_cast<std::size_t>(Workspace(dtype, rows, M, N).bytes()), sum_workspace_bytes(M));
}

std::size_t CudaLinear::sum_workspace_bytes(std::int64_t N) const {
  Layout layout;
  layout.add_rows(kernels::kSumParts, N);
  return static_cast<std::size_t>(layout.bytes());
}

const void* CudaLinear::rounded(attn_dtype_t dtype, const float* parameter, std::int64_t count, void* place) const {
  if (dtype == ATTN_DTYPE_FP32 || parameter == nullptr) return parameter;
  CudaLayers(stream_).convert(count, ATTN_DTYPE_FP32, parameter, dtype, place);
  return place;
}

void CudaLinear::project(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* x,
                         const float* w, const float* b, void* y, void* workspace) {
  const Workspace at(dtype, rows, M, N);
  const void* const factor = rounded(dtype, w, M * N, piece(workspace, at.w));
  const void* const bias = rounded(dtype, b, M, piece(workspace, at.b));
  multiply({rows.B * rows.T, M, N, dtype, {x}, {factor, true}, bias, false, dtype, y}, workspace);
}

void CudaLinear::project_back(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N, const void* d_y,
                              const float* w, void* d_x, bool accumulate, void* workspace) {
  const void* const factor = rounded(dtype, w, M * N, piece(workspace, Workspace(dtype, rows, M, N).w));
  multiply({rows.B * rows.T, N, M, dtype, {d_y}, {factor}, nullptr, accumulate, dtype, d_x}, workspace);
}

void CudaLinear::weight_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, std::int64_t N,
                                 const void* d_y, const void* x, float* d_w, void* workspace) {
  if (rows.lengths != nullptr) {
    void* const copy = piece(workspace, Workspace(dtype, rows, M, N).x);
    copy_rows(dtype, {rows.B, rows.T, N}, x, false, rows.lengths, copy);
    x = copy;
  }
  multiply({M, N, rows.B * rows.T, dtype, {d_y, true}, {x}, nullptr, false, ATTN_DTYPE_FP32, d_w}, workspace);
}

void CudaLinear::bias_gradient(attn_dtype_t dtype, const ItemRows& rows, std::int64_t M, const void* d_y, float* d_b,
                               void* workspace) {
  sum_items(dtype, rows.B * rows.T, M, d_y, d_b, workspace);
}

void CudaLinear::repeat_first(attn_dtype_t dtype, std::int64_t B, std::int64_t N, void* items) {
  const auto behind = static_cast<std::size_t>(N) * element_bytes(dtype);
  copy_rows(dtype, {B - 1, 1, N}, items, true, nullptr, static_cast<std::byte*>(items) + behind);
}

void CudaLinear::copy_rows(attn_dtype_t dtype, const std::array<Index, 3>& shape, const void* from, bool same_rows,
                           const std::int32_t* lengths, void* to) const {
  with_storage(dtype, [&](auto storage) {
    using Storage = decltype(storage);
    check(kernels::launch_copy_rows<Storage>(
              {shape[0], shape[1], shape[2], in<Storage>(from), same_rows, lengths, out<Storage>(to)}, stream_),
          "copy_rows");
  });
}

void CudaLinear::sum_items(attn_dtype_t dtype, std::int64_t B, std::int64_t N, const void* items, float* sum,
                           void* workspace) {
  with_storage(dtype, [&](auto storage) {
    sum_rows(in<decltype(storage)>(items), B, N, static_cast<float*>(workspace), sum, stream_);
  });
}

void CudaLinear::fill_zero(std::int64_t count, float* values) {
  check(cudaMemsetAsync(values, 0, static_cast<std::size_t>(count) * sizeof(float), stream_), "cudaMemsetAsync");
}

}  // namespace attn::internal::cuda

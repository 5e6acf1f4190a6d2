// SPDX-License-Identifier: Apache-2.0
//
// Products include the rows of the padding, since the host cannot read lengths in device memory. Where padding would
// contribute it is zero: d_y is zero there by its contract, and x is copied with zeros.
#include "encoder/cuda/linear.h"

#include <algorithm>

#include "base/dtype.h"
#include "cuda/storage.h"
#include "kernels/encoder.h"

namespace attn::internal::cuda {
namespace {

struct Workspace : Layout {
  std::int64_t product, x, w, b;
  explicit Workspace(const LinearMap& map)
      : product(add(Cublas::kWorkspaceBytes, 1)),
        x(add_rows(map.rows.B * map.rows.T, map.N, size(map))),
        w(add_rows(map.dtype == ATTN_DTYPE_FP32 ? 0 : map.M, map.N, size(map))),
        b(add(map.dtype == ATTN_DTYPE_FP32 ? 0 : map.M, size(map))) {}
  static std::int64_t size(const LinearMap& map) { return static_cast<std::int64_t>(element_bytes(map.dtype)); }
};

}  // namespace

std::size_t CudaLinear::workspace_bytes(const LinearMap& map) const {
  return std::max(static_cast<std::size_t>(Workspace(map).bytes()), sum_workspace_bytes(map.M));
}

std::size_t CudaLinear::sum_workspace_bytes(std::int64_t N) const {
  Layout layout;
  layout.add_rows(kernels::kPartialSums, N);
  return static_cast<std::size_t>(layout.bytes());
}

const void* CudaLinear::rounded(attn_dtype_t dtype, const float* parameter, std::int64_t count, void* place) const {
  if (dtype == ATTN_DTYPE_FP32 || parameter == nullptr) return parameter;
  layers_.convert(count, ATTN_DTYPE_FP32, parameter, dtype, place);
  return place;
}

void CudaLinear::project(const LinearMap& map, const void* x, const float* w, const float* b, void* y) {
  const Workspace at(map);
  const void* const factor = rounded(map.dtype, w, map.M * map.N, at_offset(map.workspace, at.w));
  const void* const bias = rounded(map.dtype, b, map.M, at_offset(map.workspace, at.b));
  multiply({map.rows.B * map.rows.T, map.M, map.N, map.dtype, {x}, {factor, true}, bias, false, map.dtype, y},
           map.workspace);
}

void CudaLinear::project_back(const LinearMap& map, const void* d_y, const float* w, void* d_x, bool accumulate) {
  const void* const factor = rounded(map.dtype, w, map.M * map.N, at_offset(map.workspace, Workspace(map).w));
  multiply({map.rows.B * map.rows.T, map.N, map.M, map.dtype, {d_y}, {factor}, nullptr, accumulate, map.dtype, d_x},
           map.workspace);
}

void CudaLinear::weight_gradient(const LinearMap& map, const void* d_y, const void* x, float* d_w) {
  if (map.rows.lengths != nullptr) {
    void* const copy = at_offset(map.workspace, Workspace(map).x);
    copy_rows(map.dtype, {map.rows.B, map.rows.T, map.N}, x, false, map.rows.lengths, copy);
    x = copy;
  }
  multiply({map.M, map.N, map.rows.B * map.rows.T, map.dtype, {d_y, true}, {x}, nullptr, false, ATTN_DTYPE_FP32, d_w},
           map.workspace);
}

void CudaLinear::bias_gradient(const LinearMap& map, const void* d_y, float* d_b) {
  sum_items({map.dtype, map.rows.B * map.rows.T, map.M, map.workspace}, d_y, d_b);
}

void CudaLinear::repeat_first(const Items& items, void* tensor) {
  const auto item_bytes = static_cast<std::size_t>(items.N) * element_bytes(items.dtype);
  copy_rows(items.dtype, {items.B - 1, 1, items.N}, tensor, true, nullptr,
            static_cast<std::byte*>(tensor) + item_bytes);
}

void CudaLinear::copy_rows(attn_dtype_t dtype, const std::array<std::int64_t, 3>& shape, const void* from,
                           bool same_rows, const std::int32_t* lengths, void* to) const {
  with_storage(dtype, [&](auto storage) {
    using Storage = decltype(storage);
    check(kernels::launch_copy_rows<Storage>(
              {shape[0], shape[1], shape[2], in<Storage>(from), same_rows, lengths, out<Storage>(to)}, stream()),
          "copy_rows");
  });
}

void CudaLinear::sum_items(const Items& items, const void* tensor, float* sum) {
  with_storage(items.dtype, [&](auto storage) {
    sum_rows(in<decltype(storage)>(tensor), items.B, items.N, static_cast<float*>(items.workspace), sum, stream());
  });
}

void CudaLinear::fill_zero(std::int64_t count, float* values) {
  check(cudaMemsetAsync(values, 0, static_cast<std::size_t>(count) * sizeof(float), stream()), "cudaMemsetAsync");
}

}  // namespace attn::internal::cuda

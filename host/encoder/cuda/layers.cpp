// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/layers.h"

#include <algorithm>

#include "base/dtype.h"
#include "cuda/check.h"
#include "cuda/storage.h"
#include "kernels/encoder.h"
#include "kernels/layers.h"

namespace attn::internal::cuda {
namespace {

using kernels::EmbeddingBackwardPlan;

struct EmbeddingWorkspace {
  std::size_t sort_bytes;
  EmbeddingBackwardPlan plan;
};

EmbeddingWorkspace embedding_workspace_of(std::int64_t N, std::int64_t V, std::int64_t E) {
  std::size_t sort_bytes = 0;
  if (N > 0) check(kernels::sort_by_id_bytes(N, V, &sort_bytes), "sort_by_id_bytes");
  return {sort_bytes, kernels::plan_embedding_backward(N, E, sort_bytes)};
}

}  // namespace

void CudaLayers::embedding_forward(const Embedding& embedding, const float* table, void* rows) {
  with_storage(embedding.dtype, [&](auto storage) {
    using Storage = decltype(storage);
    check(kernels::launch_embedding_forward<Storage>(
              {embedding.N, embedding.V, embedding.E, embedding.ids, table, out<Storage>(rows)}, stream()),
          "embedding_forward");
  });
}

std::size_t CudaLayers::embedding_workspace(const Embedding& embedding) {
  return static_cast<std::size_t>(embedding_workspace_of(embedding.N, embedding.V, embedding.E).plan.bytes);
}

void CudaLayers::embedding_backward(const Embedding& embedding, const void* d_rows, float* d_table) {
  const std::int64_t N = embedding.N, V = embedding.V, E = embedding.E;
  const auto [sort_bytes, plan] = embedding_workspace_of(N, V, E);
  kernels::SortById sort{N, V, {}, at_offset<std::byte>(embedding.workspace, plan.sort), sort_bytes};
  for (int i = 0; i < 2; ++i)
    sort.buffers[i] = {at_offset<std::uint32_t>(embedding.workspace, plan.ids[i]),
                       at_offset<kernels::Index>(embedding.workspace, plan.positions[i])};
  float* const carries = at_offset(embedding.workspace, plan.carries);
  with_storage(embedding.dtype, [&](auto storage) {
    using Storage = decltype(storage);
    check(kernels::launch_embedding_backward<Storage>(
              {N, V, E, embedding.ids, in<Storage>(d_rows), d_table, carries, sort}, stream()),
          "embedding_backward");
  });
}

void CudaLayers::dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                               float* z) {
  check(kernels::launch_dense_forward({B, D, x, w, b, z}, stream()), "dense_forward");
}

void CudaLayers::dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                                float* d_x, float* d_w, float* d_b) {
  check(kernels::launch_dense_backward({B, D, x, w, d_z, d_x, d_w, d_b}, stream()), "dense_backward");
}

void CudaLayers::sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                                       float* d_z) {
  check(kernels::launch_cross_entropy({B, z, y, scale, losses, d_z}, stream()), "sigmoid_cross_entropy");
}

void CudaLayers::find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) {
  check(kernels::launch_find_nonfinite({N, numbers, found}, stream()), "find_nonfinite");
}

void CudaLayers::adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m, float* s) {
  check(kernels::launch_adam_step({N, adam_rates(desc), g, p, m, s, desc.skip}, stream()), "adam_step");
}

void CudaLayers::dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream,
                         const void* from, void* to) {
  const kernels::DropoutMask mask = kernels::dropout_mask(rate, seed, stream);
  with_storage(dtype, [&](auto storage) {
    using Storage = decltype(storage);
    check(kernels::launch_dropout<Storage>({N, mask, in<Storage>(from), out<Storage>(to)}, this->stream()), "dropout");
  });
}

void CudaLayers::convert(std::int64_t N, attn_dtype_t from, const void* source, attn_dtype_t to, void* target) {
  if (from == to)
    return check(cudaMemcpyAsync(target, source, static_cast<std::size_t>(N) * element_bytes(to),
                                 cudaMemcpyDeviceToDevice, stream()),
                 "cudaMemcpyAsync");
  with_storage(from == ATTN_DTYPE_FP32 ? to : from, [&](auto storage) {
    using Storage = decltype(storage);
    if constexpr (!std::is_same_v<Storage, float>) {
      if (from == ATTN_DTYPE_FP32)
        check(kernels::launch_convert<float, Storage>({N, in<float>(source), out<Storage>(target)}, stream()),
              "convert");
      else
        check(kernels::launch_convert<Storage, float>({N, in<Storage>(source), out<float>(target)}, stream()),
              "convert");
    }
  });
}

void CudaLayers::copy_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy) {
  copy_lengths_to_device(B, lengths, copy, stream());
}

void copy_lengths_to_device(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy, cudaStream_t stream) {
  for (std::int64_t first = 0; first < B; first += kernels::kMostUploadValues) {
    kernels::UploadValues some{};
    some.count = static_cast<int>(std::min<std::int64_t>(kernels::kMostUploadValues, B - first));
    std::copy_n(lengths + first, some.count, some.values);
    some.out = copy + first;
    check(kernels::launch_upload_values(some, stream), "upload_values");
  }
}

}  // namespace attn::internal::cuda

// SPDX-License-Identifier: Apache-2.0
#include "encoder/cuda/layers.h"

#include <algorithm>

#include "cuda/check.h"
#include "kernels/encoder.h"
#include "kernels/layers.h"

namespace attn::cuda {
namespace {

using kernels::EmbeddingBackwardPlan;

struct EmbeddingWorkspace {
  std::size_t sort_bytes;
  EmbeddingBackwardPlan plan;
};

EmbeddingWorkspace embedding_workspace_of(std::int64_t N, std::int64_t V, std::int64_t E) {
  std::size_t sort_bytes = 0;
  if (N > 0) check(kernels::sort_places_bytes(N, V, &sort_bytes), "sort_places_bytes");
  return {sort_bytes, kernels::plan_embedding_backward(N, E, sort_bytes)};
}

}  // namespace

void CudaLayers::embedding_forward(std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                                   const float* table, float* rows) const {
  check(kernels::launch_embedding_forward({N, V, E, ids, table, rows}, stream_), "embedding_forward");
}

std::size_t CudaLayers::embedding_workspace(std::int64_t N, std::int64_t V, std::int64_t E) const {
  return static_cast<std::size_t>(embedding_workspace_of(N, V, E).plan.bytes);
}

void CudaLayers::embedding_backward(std::int64_t N, std::int64_t V, std::int64_t E, const std::int32_t* ids,
                                    const float* d_rows, float* d_table, void* workspace) const {
  const auto [sort_bytes, plan] = embedding_workspace_of(N, V, E);
  auto* const bytes = static_cast<std::byte*>(workspace);
  kernels::EmbeddingBackward params{N, V, E, ids, d_rows, d_table, {}, nullptr, nullptr, sort_bytes};
  for (int i = 0; i < 2; ++i)
    params.buffers[i] = {reinterpret_cast<std::uint32_t*>(bytes + plan.ids[i]),
                         reinterpret_cast<kernels::Index*>(bytes + plan.places[i])};
  params.heads = reinterpret_cast<float*>(bytes + plan.heads);
  params.sort = bytes + plan.sort;
  check(kernels::launch_embedding_backward(params, stream_), "embedding_backward");
}

void CudaLayers::dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                               float* z) const {
  check(kernels::launch_dense_forward({B, D, x, w, b, z}, stream_), "dense_forward");
}

void CudaLayers::dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                                float* d_x, float* d_w, float* d_b) const {
  check(kernels::launch_dense_backward({B, D, x, w, d_z, d_x, d_w, d_b}, stream_), "dense_backward");
}

void CudaLayers::sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float* losses,
                                       float* d_z) const {
  check(kernels::launch_cross_entropy({B, z, y, losses, d_z}, stream_), "sigmoid_cross_entropy");
}

void CudaLayers::adam_step(const attn_adam_desc_t& desc, std::int64_t N, const float* g, float* p, float* m,
                           float* s) const {
  const kernels::AdamRates rates = kernels::adam_rates(desc.rate, desc.beta_1, desc.beta_2, desc.epsilon, desc.step);
  check(kernels::launch_adam_step({N, rates, g, p, m, s}, stream_), "adam_step");
}

void CudaLayers::dropout(std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream, const float* in,
                         float* out) const {
  check(kernels::launch_dropout({N, kernels::dropout_mask(rate, seed, stream), in, out}, stream_), "dropout");
}

void CudaLayers::copy(std::int64_t N, const float* in, float* out) const {
  check(cudaMemcpyAsync(out, in, static_cast<std::size_t>(N) * sizeof(float), cudaMemcpyDeviceToDevice, stream_),
        "cudaMemcpyAsync");
}

const std::int32_t* CudaLayers::place_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* place) const {
  if (lengths == nullptr) return nullptr;
  for (std::int64_t first = 0; first < B; first += kernels::kMostNumbers) {
    kernels::StoreNumbers some{};
    some.count = static_cast<int>(std::min<std::int64_t>(kernels::kMostNumbers, B - first));
    std::copy_n(lengths + first, some.count, some.numbers);
    some.out = place + first;
    check(kernels::launch_store_numbers(some, stream_), "store_numbers");
  }
  return place;
}

}  // namespace attn::cuda

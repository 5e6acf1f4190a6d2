// SPDX-License-Identifier: Apache-2.0
//
//   g_j = dO . x_j + dAlpha_j    dE_j = alpha_j (g_j - sum_j alpha_j g_j)    t = tanh(q_a + k_ja)
//   dq_a = v_a sum_j dE_j (1 - t^2)    dk_ja = v_a dE_j (1 - t^2)    dv_a = sum_j dE_j t    dx_j = alpha_j dO
//
// with one query per batch item. fp32 throughout; alpha is the forward pass's or recomputed as exp(e - lse).
//
// Two kernels, in each of which a block takes one chunk of keys of one item. The first goes over the rows of k (unless
// the weights are given) and of x, and leaves alpha, g and the chunk's sum of alpha g. The second, which then knows the
// sum of the whole row, goes over the rows of k once more and writes dk, dx and the chunk's parts of dq and dv, to be
// added by row_sums.cu.
//
// Bytes, s per element: s B T (A + D), s B T A more where alpha is recomputed; written s B T (A + D); 16 B T for alpha,
// g and back; s (3 A + 2 D), 8 A and the sums of all chunks of the row, 4 each, for each chunk.
#include "kernels/device/chunk.cuh"
#include "kernels/device/grid.cuh"
#include "kernels/device/rows.cuh"
#include "kernels/launch.h"

namespace attn::kernels {
namespace {

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) additive_single_scores_kernel(const AdditiveBackward<Storage> p) {
  extern __shared__ float alpha[];  // [chunk_keys]; then g, [chunk_keys]
  __shared__ RowScratch scratch;
  float* const g = alpha + p.split.chunk_keys;

  for (Index item = blockIdx.x; item < p.B * p.split.chunks; item += gridDim.x) {
    const Chunk chunk(p, item);
    if (chunk.count == 0) continue;
    if (p.weights == nullptr)
      reduce_rows(Rows<const Storage>(p.k + chunk.row * p.A, p.A), chunk.count,
                  AdditiveTerm<Storage>(p.q + chunk.b * p.A, p.v, p.A), scratch, alpha);
    if (p.wants_scores)
      reduce_rows(Rows<const Storage>(p.x + chunk.row * p.D, p.D), chunk.count,
                  DotTerm<Storage>(p.d_o + chunk.b * p.D, p.D), scratch, g);
    __syncthreads();

    float mean = 0;
    for (int j = static_cast<int>(threadIdx.x); j < chunk.count; j += kRowThreads) {
      const Index at = chunk.place + j;
      const float weight = p.weights == nullptr ? expf(alpha[j] - p.lse[chunk.b]) : to_float(p.weights[at]);
      if (p.kept_alpha != nullptr) p.kept_alpha[at] = weight;
      if (!p.wants_scores) continue;
      const float gradient = p.d_weights == nullptr ? g[j] : g[j] + to_float(p.d_weights[at]);
      p.d_e[at] = gradient;
      mean = fmaf(weight, gradient, mean);
    }
    mean = sum_block<kRowWarps>(mean, scratch[0]);
    if (threadIdx.x == 0 && p.wants_scores) p.means[chunk.item] = mean;
  }
}

// dk of the chunk, and its parts of dq and dv, [A]; d_e [count], shared.
template <class Storage>
__device__ void key_gradients(const AdditiveBackward<Storage>& p, const Chunk& chunk, const float* d_e,
                              RowScratch& scratch) {
  const Rows<const Storage> k(p.k + chunk.row * p.A, p.A), vectors[] = {{p.q + chunk.b * p.A, p.A}, {p.v, p.A}};
  const Rows<Storage> d_k(p.d_k == nullptr ? nullptr : p.d_k + chunk.row * p.A, p.A);
  for (Index first = 0; first < p.A; first += kSweep) {
    const Index column = first + lane_index() * kPacket;
    float4 packets[2][1]{}, d_q{}, d_v{};
    if (chunk.count > 0) share_columns(vectors, first, scratch, packets);
    const float4 query = packets[0][0], factor = packets[1][0];
    for (int j = warp_index(); j < chunk.count; j += kRowWarps) {
      const Tanh<float4> t = tanh_and_slope(query + k.load(j, column));
      d_v = add_multiple(d_e[j], t.value, d_v);
      d_q = add_multiple(d_e[j], t.slope, d_q);
      if (p.d_k != nullptr) d_k.store(j, column, factor * (d_e[j] * t.slope));
    }
    for (int j = chunk.count + warp_index(); p.d_k != nullptr && j < chunk.rows; j += kRowWarps)
      d_k.store(j, column, float4{});
    add_warps(factor * d_q, scratch, [&](int c, float sum) {
      if (p.d_q_parts != nullptr && first + c < p.A) p.d_q_parts[chunk.item * p.A + first + c] = sum;
    });
    add_warps(d_v, scratch, [&](int c, float sum) {
      if (p.d_v_parts != nullptr && first + c < p.A) p.d_v_parts[chunk.item * p.A + first + c] = sum;
    });
  }
}

// dx of the chunk; alpha [count], shared.
template <class Storage>
__device__ void value_gradients(const AdditiveBackward<Storage>& p, const Chunk& chunk, const float* alpha,
                                RowScratch& scratch) {
  const Rows<const Storage> d_o[] = {{p.d_o + chunk.b * p.D, p.D}};
  const Rows<Storage> d_x(p.d_x + chunk.row * p.D, p.D);
  for (Index first = 0; first < p.D; first += kSweep) {
    float4 gradient[1][1];
    share_columns(d_o, first, scratch, gradient);
    for (int j = warp_index(); j < chunk.rows; j += kRowWarps)
      d_x.store(j, first + lane_index() * kPacket, j < chunk.count ? alpha[j] * gradient[0][0] : float4{});
  }
}

template <class Storage>
__global__ void __launch_bounds__(kRowThreads, 4) additive_single_gradients_kernel(const AdditiveBackward<Storage> p) {
  extern __shared__ float alpha[];  // [chunk_keys], then dE
  __shared__ RowScratch scratch;
  for (Index item = blockIdx.x; item < p.B * p.split.chunks; item += gridDim.x) {
    const Chunk chunk(p, item);
    for (int j = static_cast<int>(threadIdx.x); j < chunk.count; j += kRowThreads) alpha[j] = p.alpha[chunk.place + j];
    if (p.d_x != nullptr) value_gradients(p, chunk, alpha, scratch);
    if (p.wants_scores) {
      float mean = 0;
      for (Index c = threadIdx.x; c < chunk.chunks; c += kRowThreads) mean += p.means[chunk.b * p.split.chunks + c];
      mean = sum_block<kRowWarps>(mean, scratch[0]);
      for (int j = static_cast<int>(threadIdx.x); j < chunk.count; j += kRowThreads)
        alpha[j] *= p.d_e[chunk.place + j] - mean;
      key_gradients(p, chunk, alpha, scratch);
    }
    __syncthreads();
  }
}

}  // namespace

template <class Storage>
cudaError_t launch_additive_single_scores(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.chunks;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.split.chunk_keys) * 2 * sizeof(float);
  additive_single_scores_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template <class Storage>
cudaError_t launch_additive_single_gradients(const AdditiveBackward<Storage>& params, cudaStream_t stream) {
  const Index items = params.B * params.split.chunks;
  if (items == 0) return cudaSuccess;
  const auto shared = static_cast<std::size_t>(params.split.chunk_keys) * sizeof(float);
  additive_single_gradients_kernel<Storage><<<blocks_for(items), kRowThreads, shared, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_additive_single_scores(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_scores(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_scores(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<float>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<__half>&, cudaStream_t);
template cudaError_t launch_additive_single_gradients(const AdditiveBackward<__nv_bfloat16>&, cudaStream_t);

}  // namespace attn::kernels

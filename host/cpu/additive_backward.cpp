// SPDX-License-Identifier: Apache-2.0
//
//   g_ij = d_o_i . x_j + d_weights_ij    d_e_ij = alpha_ij (g_ij - sum_j alpha_ij g_ij)    t = tanh(q_ia + k_ja)
//   d_q_ia = v_a sum_j d_e_ij (1 - t^2)  d_k_ja = v_a sum_i d_e_ij (1 - t^2)  d_v_a = sum_ij d_e_ij t
//   d_x_j = sum_i alpha_ij d_o_i
//
// fp32 throughout. Phases: 1 alpha (from the weights, or recomputed as exp(e - lse)) and g; 2 d_e in its place; 3 d_x;
// 4 d_q, d_k and d_v, which are separate sums for each column a, so that a task owns some columns of one item and
// needs no partial sums of others; 5 d_v over the batch. Bound by tanh: B Q T A of them, twice without the weights. Kept
// between the phases: alpha and d_e, [B, Q, T].
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/additive_backward.cpp"
#include <hwy/foreach_target.h>
// Behind foreach_target.h, which compiles this file once for each instruction set.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "cpu/additive_backward.h"
#include "cpu/attention.h"
#include "cpu/parallel.h"
#include "cpu/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attn::cpu::HWY_NAMESPACE {

// 1. alpha and g of a block of queries over a chunk of keys, and the chunk's sum of alpha g.
HWY_INLINE void weights_and_gradients(const AdditiveBackward& all, std::int64_t block, std::int64_t chunk) {
  const std::int64_t T = all.T, A = all.A, D = all.D;
  const auto [b, first, last] = all.block(block);
  const auto [begin, end] = all.space.split.keys_of(chunk, all.valid(b));
  for (std::int64_t row = first; row < last; ++row) all.space.means[row * all.space.split.chunks + chunk] = 0;
  for (std::int64_t j = begin; j < end; j += kTileKeys) {
    const std::int64_t count = std::min(kTileKeys, end - j);
    for (std::int64_t row = first; row < last; ++row) {
      const float* alpha = all.weights + row * T + j;
      if (all.recompute) {
        float* const e = all.space.weights + row * T + j;
        reduce_rows(all.k + (b * T + j) * A, count, A, AdditiveScore{all.q + row * A, all.v}, e);
        for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
          access.store(exp(Float(), hn::Sub(access.load(e + at), set(all.lse[row]))), e + at);
        });
      }
      if (!all.wants_scores()) continue;
      float* const g = all.space.d_e + row * all.space.row_keys + j;
      reduce_rows(all.x + (b * T + j) * D, count, D, Dot{all.d_o + row * D}, g);
      Vector mean = zero();
      for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
        Vector gradient = access.load(g + at);
        if (all.d_weights != nullptr) {
          gradient = hn::Add(gradient, access.load(all.d_weights + row * T + j + at));
          access.store(gradient, g + at);
        }
        mean = hn::MulAdd(access.load(alpha + at), gradient, mean);
      });
      all.space.means[row * all.space.split.chunks + chunk] += sum_of_lanes(mean);
    }
  }
}

// 2. d_e of a query; zero behind its keys up to a whole group, for phase 4.
HWY_INLINE void score_gradients(const AdditiveBackward& all, std::int64_t row, std::int64_t count) {
  const float* const alpha = all.weights + row * all.T;
  float* const d_e = all.space.d_e + row * all.space.row_keys;
  float mean = 0;
  for (std::int64_t c = 0; c < all.space.split.chunks; ++c) mean += all.space.means[row * all.space.split.chunks + c];
  for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
    access.store(hn::Mul(access.load(alpha + at), hn::Sub(access.load(d_e + at), set(mean))), d_e + at);
  });
  std::fill(d_e + count, d_e + divide_up(count, kGroupKeys) * kGroupKeys, 0.0f);
}

// 3. d_x of a tile of keys.
HWY_INLINE void value_gradients(const AdditiveBackward& all, std::int64_t b, std::int64_t tile) {
  const std::int64_t end = std::min((tile + 1) * kTileKeys, all.T);
  for (std::int64_t j = tile * kTileKeys; j < end; ++j) {
    float* const d_x = all.d_x + (b * all.T + j) * all.D;
    std::fill_n(d_x, all.D, 0.0f);
    if (j < all.valid(b))
      combine_rows(all.d_o + b * all.Q * all.D, all.Q, all.D, all.weights + b * all.Q * all.T + j, all.T, 0.0f, d_x);
  }
}

// What one key adds for one query: returns d_q + d_e (1 - t^2), likewise adds to d_k and d_v. The slope is made first:
// d_e - d_e t^2 would make NaN of an infinite d_e.
HWY_INLINE Vector add_gradient(Vector q, Vector k, float score_gradient, Vector d_q, Vector& d_k, Vector& d_v) {
  const Vector t = tanh(Float(), hn::Add(q, k));
  const Vector slope = hn::NegMulAdd(t, t, set(1.0f));
  const Vector d_e = set(score_gradient);
  d_v = hn::MulAdd(d_e, t, d_v);
  d_k = hn::MulAdd(d_e, slope, d_k);
  return hn::MulAdd(d_e, slope, d_q);
}

// 4. d_q, d_k and d_v of one vector of columns of item b. A group of keys stays in registers while a block of queries
// passes by; the last block leaves d_k multiplied by v.
template <class Access>
HWY_INLINE void column_gradients(const AdditiveBackward& all, std::int64_t b, std::int64_t a, Access access) {
  const std::int64_t Q = all.Q, T = all.T, A = all.A;
  const std::int64_t count = Q == 0 ? 0 : all.valid(b);
  float* const d_q = all.d_q == nullptr ? nullptr : all.d_q + b * Q * A + a;
  float* const d_k = all.d_k == nullptr ? nullptr : all.d_k + b * T * A + a;
  if (d_q != nullptr)
    for (std::int64_t i = 0; i < Q; ++i) access.store(zero(), d_q + i * A);
  if (d_k != nullptr)
    for (std::int64_t j = count; j < T; ++j) access.store(zero(), d_k + j * A);
  access.store(zero(), all.space.d_v + b * A + a);
  if (count == 0) return;

  const float* const q = all.q + b * Q * A + a;
  const float* const k = all.k + b * T * A + a;
  const float* const d_e = all.space.d_e + b * Q * all.space.row_keys;
  const Vector v = access.load(all.v + a);
  Vector d_v = zero();
  for (std::int64_t first = 0; first < Q; first += kBlockQueries) {
    const std::int64_t last = std::min(first + kBlockQueries, Q);
    for (std::int64_t j = 0; j < count; j += kGroupKeys) {
      const auto key = [&](std::int64_t n)
                           HWY_ATTR { return j + n < count ? access.load(k + (j + n) * A) : zero(); };
      const auto so_far = [&](std::int64_t n) HWY_ATTR {
        return first > 0 && d_k != nullptr && j + n < count ? access.load(d_k + (j + n) * A) : zero();
      };
      const auto keep = [&](std::int64_t n, Vector sum) HWY_ATTR {
        if (d_k != nullptr && j + n < count) access.store(last == Q ? hn::Mul(v, sum) : sum, d_k + (j + n) * A);
      };
      const Vector k0 = key(0), k1 = key(1), k2 = key(2), k3 = key(3);
      Vector sum0 = so_far(0), sum1 = so_far(1), sum2 = so_far(2), sum3 = so_far(3);
      Vector group_d_v = zero();
      for (std::int64_t i = first; i < last; ++i) {
        const Vector query = access.load(q + i * A);
        const float* const gradients = d_e + i * all.space.row_keys + j;
        Vector d_query = zero();
        d_query = add_gradient(query, k0, gradients[0], d_query, sum0, group_d_v);
        d_query = add_gradient(query, k1, gradients[1], d_query, sum1, group_d_v);
        d_query = add_gradient(query, k2, gradients[2], d_query, sum2, group_d_v);
        d_query = add_gradient(query, k3, gradients[3], d_query, sum3, group_d_v);
        if (d_q != nullptr) access.store(hn::Add(access.load(d_q + i * A), d_query), d_q + i * A);
      }
      d_v = hn::Add(d_v, group_d_v);
      keep(0, sum0);
      keep(1, sum1);
      keep(2, sum2);
      keep(3, sum3);
    }
  }
  if (d_q != nullptr)
    for (std::int64_t i = 0; i < Q; ++i) access.store(hn::Mul(v, access.load(d_q + i * A)), d_q + i * A);
  access.store(d_v, all.space.d_v + b * A + a);
}

void run_additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args,
                           void* workspace, int threads) {
  const AdditiveBackward all(desc, args, workspace);
  const Split& split = all.space.split;

  parallel_for(threads, all.B * split.blocks * split.chunks, [&](std::int64_t task) HWY_ATTR {
    weights_and_gradients(all, task / split.chunks, task % split.chunks);
  });
  if (all.d_x != nullptr) {
    const std::int64_t tiles = divide_up(all.T, kTileKeys);
    parallel_for(threads, all.B * tiles,
                 [&](std::int64_t task) HWY_ATTR { value_gradients(all, task / tiles, task % tiles); });
  }
  if (!all.wants_scores()) return;
  parallel_for(threads, all.B * split.blocks, [&](std::int64_t task) HWY_ATTR {
    const auto [b, first, last] = all.block(task);
    for (std::int64_t row = first; row < last; ++row) score_gradients(all, row, all.valid(b));
  });
  // How many columns a task has is free: columns do not meet.
  const std::int64_t width = kColumns;
  const std::int64_t blocks = divide_up(all.A, width);
  parallel_for(threads, all.B * blocks, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t b = task / blocks, a = task % blocks * width;
    for_vectors(std::min(width, all.A - a),
                [&](auto access, std::int64_t at) HWY_ATTR { column_gradients(all, b, a + at, access); });
  });
  if (all.d_v != nullptr) sum_rows(all.space.d_v, all.B, all.A, all.d_v);
}

}  // namespace attn::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::cpu {

HWY_EXPORT(run_additive_backward);

void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       int threads) {
  HWY_DYNAMIC_DISPATCH(run_additive_backward)(desc, args, workspace, threads);
}

}  // namespace attn::cpu
#endif

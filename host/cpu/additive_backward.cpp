// SPDX-License-Identifier: Apache-2.0
//
//   g_ij = d_o_i . x_j + d_weights_ij    d_e_ij = alpha_ij (g_ij - sum_j alpha_ij g_ij)    t = tanh(q_ia + k_ja)
//   d_q_ia = v_a sum_j d_e_ij (1 - t^2)  d_k_ja = v_a sum_i d_e_ij (1 - t^2)  d_v_a = sum_ij d_e_ij t
//   d_x_j = sum_i alpha_ij d_o_i
//
// fp32 throughout. Phases: 1 alpha (from the weights, or recomputed as exp(e - lse)) and g; 2 d_x; 3 d_e, which
// overwrites g; 4 d_q, d_k and d_v, whose columns a are independent sums, so that a task owns some columns of one item
// and there are no partial sums; 5 d_v summed over the batch. Bound by the B Q T A evaluations of tanh, twice as many
// without the weights. alpha and d_e, [B, Q, T], are kept between the phases.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/additive_backward.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which compiles this file once for each instruction set.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "base/parallel.h"
#include "cpu/additive_backward.h"
#include "cpu/attention.h"
#include "cpu/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {

// 1. alpha and g of a block of queries over a split of keys, and the sum of alpha g over the split.
HWY_INLINE void weights_and_gradients(const AdditiveBackward& all, std::int64_t block, std::int64_t split) {
  const std::int64_t T = all.T, A = all.A, D = all.D;
  const auto [b, first, last] = all.block(block);
  const auto [begin, end] = all.space.splits.keys_of(split, all.keys.valid(b));
  for (std::int64_t row = first; row < last; ++row) all.space.means[row * all.space.splits.count + split] = 0;
  for (std::int64_t j = begin; j < end; j += kTileKeys) {
    const std::int64_t count = std::min(kTileKeys, end - j);
    for (std::int64_t row = first; row < last; ++row) {
      const float* alpha = all.weights + row * T + j;
      if (all.recompute) {
        float* const e = all.space.weights + row * T + j;
        reduce_rows(all.k + (all.keys.first(b) + j) * A, count, A, AdditiveScore{all.q + row * A, all.v}, e);
        for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
          access.store(exp(Float(), hn::Sub(access.load(e + at), set(all.lse[row]))), e + at);
        });
      }
      if (!all.wants_scores()) continue;
      float* const g = all.space.d_e + row * all.space.row_keys + j;
      reduce_rows(all.x + (all.keys.first(b) + j) * D, count, D, Dot{all.d_o + row * D}, g);
      Vector mean = zero();
      for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
        Vector gradient = access.load(g + at);
        if (all.d_weights != nullptr) {
          gradient = hn::Add(gradient, access.load(all.d_weights + row * T + j + at));
          access.store(gradient, g + at);
        }
        mean = hn::MulAdd(access.load(alpha + at), gradient, mean);
      });
      all.space.means[row * all.space.splits.count + split] += sum_of_lanes(mean);
    }
  }
}

// 2. d_x of a tile of keys.
HWY_INLINE void value_gradients(const AdditiveBackward& all, std::int64_t b, std::int64_t tile) {
  const std::int64_t end = std::min((tile + 1) * kTileKeys, all.keys.stored(b));
  for (std::int64_t j = tile * kTileKeys; j < end; ++j) {
    float* const d_x = all.d_x + (all.keys.first(b) + j) * all.D;
    std::fill_n(d_x, all.D, 0.0f);
    if (j < all.keys.valid(b))
      combine_rows(all.d_o + b * all.Q * all.D, all.Q, all.D, all.weights + b * all.Q * all.T + j, all.T, 0.0f, d_x);
  }
}

// 3. d_e of a query, padded with zeros to a whole group of keys for phase 4.
HWY_INLINE void score_gradients(const AdditiveBackward& all, std::int64_t row, std::int64_t count) {
  const float* const alpha = all.weights + row * all.T;
  float* const d_e = all.space.d_e + row * all.space.row_keys;
  float mean = 0;
  for (std::int64_t c = 0; c < all.space.splits.count; ++c) mean += all.space.means[row * all.space.splits.count + c];
  for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
    access.store(hn::Mul(access.load(alpha + at), hn::Sub(access.load(d_e + at), set(mean))), d_e + at);
  });
  std::fill(d_e + count, d_e + divide_up(count, kGroupKeys) * kGroupKeys, 0.0f);
}

// The contribution of one pair of a query and a key: returns d_q + d_e (1 - t^2), and adds to d_k and d_v. 1 - t^2 is
// computed first, since d_e - d_e t^2 is NaN for an infinite d_e.
HWY_INLINE Vector add_gradient(Vector q, Vector k, float score_gradient, Vector d_q, Vector& d_k, Vector& d_v) {
  const Vector t = tanh(Float(), hn::Add(q, k));
  const Vector slope = hn::NegMulAdd(t, t, set(1.0f));
  const Vector d_e = set(score_gradient);
  d_v = hn::MulAdd(d_e, t, d_v);
  d_k = hn::MulAdd(d_e, slope, d_k);
  return hn::MulAdd(d_e, slope, d_q);
}

// Adds the contributions of keys j ... j + kGroupKeys - 1 and queries first ... last - 1 of item b to one vector of
// columns of d_q, d_k and d_v, from column a on. The keys stay in registers during the loop over queries. The last
// block of queries multiplies d_k by v.
template <class Access>
HWY_INLINE void group_gradients(const AdditiveBackward& all, std::int64_t b, std::int64_t j, std::int64_t first,
                                std::int64_t last, std::int64_t a, Access access) {
  const std::int64_t A = all.A, keys = all.keys.valid(b) - j;
  const float* const q = all.q + b * all.Q * A + a;
  const float* const k = all.k + (all.keys.first(b) + j) * A + a;
  const float* const d_e = all.space.d_e + b * all.Q * all.space.row_keys + j;
  float* const d_q = all.d_q == nullptr ? nullptr : all.d_q + b * all.Q * A + a;
  float* const d_k = all.d_k == nullptr ? nullptr : all.d_k + (all.keys.first(b) + j) * A + a;
  float* const d_v = all.space.d_v + b * A + a;

  const auto key = [&](std::int64_t n) HWY_ATTR { return n < keys ? access.load(k + n * A) : zero(); };
  const auto so_far = [&](std::int64_t n) HWY_ATTR {
    return first > 0 && d_k != nullptr && n < keys ? access.load(d_k + n * A) : zero();
  };
  const Vector factor = last == all.Q ? access.load(all.v + a) : set(1.0f);
  const auto keep = [&](std::int64_t n, Vector sum) HWY_ATTR {
    if (d_k != nullptr && n < keys) access.store(hn::Mul(factor, sum), d_k + n * A);
  };

  const Vector k0 = key(0), k1 = key(1), k2 = key(2), k3 = key(3);
  Vector sum0 = so_far(0), sum1 = so_far(1), sum2 = so_far(2), sum3 = so_far(3), sum_v = zero();
  for (std::int64_t i = first; i < last; ++i) {
    const Vector query = access.load(q + i * A);
    const float* const gradients = d_e + i * all.space.row_keys;
    Vector sum_q = zero();
    sum_q = add_gradient(query, k0, gradients[0], sum_q, sum0, sum_v);
    sum_q = add_gradient(query, k1, gradients[1], sum_q, sum1, sum_v);
    sum_q = add_gradient(query, k2, gradients[2], sum_q, sum2, sum_v);
    sum_q = add_gradient(query, k3, gradients[3], sum_q, sum3, sum_v);
    if (d_q != nullptr) access.store(hn::Add(access.load(d_q + i * A), sum_q), d_q + i * A);
  }
  keep(0, sum0);
  keep(1, sum1);
  keep(2, sum2);
  keep(3, sum3);
  access.store(hn::Add(access.load(d_v), sum_v), d_v);
}

// 4. d_q, d_k and d_v of item b, in `width` columns from a on.
HWY_INLINE void column_gradients(const AdditiveBackward& all, std::int64_t b, std::int64_t a, std::int64_t width) {
  const std::int64_t Q = all.Q, A = all.A;
  const std::int64_t count = Q == 0 ? 0 : all.keys.valid(b);
  float* const d_q = all.d_q == nullptr ? nullptr : all.d_q + b * Q * A + a;
  std::fill_n(all.space.d_v + b * A + a, width, 0.0f);
  for (std::int64_t i = 0; d_q != nullptr && i < Q; ++i) std::fill_n(d_q + i * A, width, 0.0f);
  for (std::int64_t j = count; all.d_k != nullptr && j < all.keys.stored(b); ++j)
    std::fill_n(all.d_k + (all.keys.first(b) + j) * A + a, width, 0.0f);
  if (count == 0) return;

  for (std::int64_t first = 0; first < Q; first += kBlockQueries)
    for (std::int64_t j = 0; j < count; j += kGroupKeys)
      for_vectors(width, [&](auto access, std::int64_t at) HWY_ATTR {
        group_gradients(all, b, j, first, std::min(first + kBlockQueries, Q), a + at, access);
      });
  for (std::int64_t i = 0; d_q != nullptr && i < Q; ++i)
    for_vectors(width, [&](auto access, std::int64_t at) HWY_ATTR {
      access.store(hn::Mul(access.load(all.v + a + at), access.load(d_q + i * A + at)), d_q + i * A + at);
    });
}

void run_additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                           int threads) {
  const AdditiveBackward all(desc, args, workspace);
  const Splits& splits = all.space.splits;

  parallel_for(threads, all.B * splits.blocks * splits.count, [&](std::int64_t task) HWY_ATTR {
    weights_and_gradients(all, task / splits.count, task % splits.count);
  });
  if (all.d_x != nullptr) {
    const std::int64_t tiles = divide_up(all.T, kTileKeys);
    parallel_for(threads, all.B * tiles,
                 [&](std::int64_t task) HWY_ATTR { value_gradients(all, task / tiles, task % tiles); });
  }
  if (!all.wants_scores()) return;
  parallel_for(threads, all.B * splits.blocks, [&](std::int64_t task) HWY_ATTR {
    const auto [b, first, last] = all.block(task);
    for (std::int64_t row = first; row < last; ++row) score_gradients(all, row, all.keys.valid(b));
  });
  // Columns are independent, so their number per task is free: all of them if the batch alone keeps the threads busy.
  const std::int64_t wanted = divide_up(4 * threads, std::max<std::int64_t>(all.B, 1));
  const std::int64_t width = divide_up(divide_up(all.A, wanted), kColumns) * kColumns;
  const std::int64_t parts = divide_up(all.A, width);
  parallel_for(threads, all.B * parts, [&](std::int64_t task) HWY_ATTR {
    const std::int64_t a = task % parts * width;
    column_gradients(all, task / parts, a, std::min(width, all.A - a));
  });
  if (all.d_v != nullptr) sum_rows(all.space.d_v, all.B, all.A, all.d_v);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::internal::cpu {

HWY_EXPORT(run_additive_backward);

void fp32::additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args,
                             void* workspace, int threads) {
  HWY_DYNAMIC_DISPATCH(run_additive_backward)(desc, args, workspace, threads);
}

}  // namespace attn::internal::cpu
#endif

// SPDX-License-Identifier: Apache-2.0
//
//   e_t = tanh(x_t . w + b_t)    alpha_t = softmax_t(e_t)    o = sum_t alpha_t x_t
//
// Backward, with g_t = d_o . x_t + d_weights_t:
//
//   d_e_t = alpha_t (g_t - sum_t alpha_t g_t)    d_z_t = d_e_t (1 - e_t^2)
//   d_x_t = alpha_t d_o + d_z_t w    d_w = sum_t d_z_t x_t    d_b_t = sum over the batch of d_z_t
//
// fp32 throughout. As |e| <= 1, the backward pass needs no maximum. Bound by memory: the forward pass reads x once, the
// backward pass reads it twice, the second time mostly from the cache, and writes d_x.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/pooling.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which compiles this file once for each instruction set.
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "base/parallel.h"
#include "cpu/attend-inl.h"
#include "cpu/attention.h"
#include "cpu/rows-inl.h"
#include "cpu/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace attn::internal::cpu::HWY_NAMESPACE {

// e [count] = tanh(x_t . w + b_t); x [count, D], w [D], b [count] or null
HWY_INLINE void pooling_scores(const float* x, const float* w, const float* b, std::int64_t count, std::int64_t D,
                               float* e) {
  reduce_rows(x, count, D, Dot{w}, e);
  for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
    const Vector bias = b == nullptr ? zero() : access.load(b + at);
    access.store(tanh(Float(), hn::Add(access.load(e + at), bias)), e + at);
  });
}

void run_pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                         int threads) {
  const std::int64_t T = desc.T, D = desc.D;
  const auto* const x = static_cast<const float*>(args.x);
  const auto* const w = static_cast<const float*>(args.w);
  const auto* const bias = static_cast<const float*>(args.b);
  const KeyRows keys{T, args.lengths, args.cu_seqlens};
  const Attention all{desc.B, 1, T, D, keys, x, static_cast<float*>(args.o), static_cast<float*>(args.weights),
                      nullptr};
  attend(
      all,
      [=](std::int64_t b, std::int64_t, std::int64_t j, std::int64_t count, float* e) HWY_ATTR {
        pooling_scores(x + (keys.first(b) + j) * D, w, bias == nullptr ? nullptr : bias + j, count, D, e);
      },
      workspace, threads);
}

struct PoolingBackward {
  std::int64_t B, T, D;
  KeyRows keys;
  const float* x;          // [B, T, D] or packed
  const float* w;          // [D]
  const float* b;          // [T] or null
  const float* d_o;        // [B, D]
  const float* d_weights;  // [B, T] or null
  float* d_x;              // as x, or null
  float* d_w;              // [D] or null
  float* d_b;              // [T] or null
  PoolingBackwardWorkspace space;

  PoolingBackward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace)
      : B(desc.B),
        T(desc.T),
        D(desc.D),
        keys{desc.T, args.lengths, args.cu_seqlens},
        x(static_cast<const float*>(args.x)),
        w(static_cast<const float*>(args.w)),
        b(static_cast<const float*>(args.b)),
        d_o(static_cast<const float*>(args.d_o)),
        d_weights(static_cast<const float*>(args.d_weights)),
        d_x(static_cast<float*>(args.d_x)),
        d_w(static_cast<float*>(args.d_w)),
        d_b(static_cast<float*>(args.d_b)),
        space(desc, workspace) {}

  // 1. e and g of a split of positions, and the sums of exp(e) and exp(e) g over the split.
  HWY_INLINE void scores(std::int64_t item, std::int64_t split) const {
    const auto [begin, end] = space.splits.keys_of(split, keys.valid(item));
    float* const sums = space.sums + (item * space.splits.count + split) * 2;
    sums[0] = sums[1] = 0;
    for (std::int64_t t = begin; t < end; t += kTileKeys) {
      const std::int64_t count = std::min(kTileKeys, end - t), first = item * T + t;
      const float* const rows = x + (keys.first(item) + t) * D;
      float* const e = space.e + first;
      float* const g = space.d_z + first;
      pooling_scores(rows, w, b == nullptr ? nullptr : b + t, count, D, e);
      reduce_rows(rows, count, D, Dot{d_o + item * D}, g);
      Vector total = zero(), weighted = zero();
      for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
        Vector gradient = access.load(g + at);
        if (d_weights != nullptr) {
          gradient = hn::Add(gradient, access.load(d_weights + first + at));
          access.store(gradient, g + at);
        }
        const Vector p = access.only(exp(Float(), access.load(e + at)));
        total = hn::Add(total, p);
        weighted = hn::MulAdd(p, gradient, weighted);
      });
      sums[0] += sum_of_lanes(total);
      sums[1] += sum_of_lanes(weighted);
    }
  }

  // 2. The gradients of a split.
  HWY_INLINE void gradients(std::int64_t item, std::int64_t split) const {
    float total = 0, weighted = 0;
    for (std::int64_t c = 0; c < space.splits.count; ++c) {
      total += space.sums[(item * space.splits.count + c) * 2];
      weighted += space.sums[(item * space.splits.count + c) * 2 + 1];
    }
    const auto [begin, end] = space.splits.keys_of(split, keys.valid(item));
    float* const d_w_part = space.d_w + (item * space.splits.count + split) * D;
    std::fill_n(d_w_part, D, 0.0f);
    for (std::int64_t t = begin; t < end; t += kTileKeys) {
      const std::int64_t count = std::min(kTileKeys, end - t), first = item * T + t, row = keys.first(item) + t;
      HWY_ALIGN float alpha[kTileKeys];
      float* const d_z = space.d_z + first;
      for_vectors(count, [&](auto access, std::int64_t at) HWY_ATTR {
        const Vector e = access.load(space.e + first + at);
        const Vector weight = hn::Div(exp(Float(), e), set(total));
        const Vector d_e = hn::Mul(weight, hn::Sub(access.load(d_z + at), set(weighted / total)));
        access.store(weight, alpha + at);
        access.store(hn::Mul(d_e, hn::NegMulAdd(e, e, set(1.0f))), d_z + at);
      });
      if (d_w != nullptr) combine_rows(x + row * D, count, D, d_z, 1, 1.0f, d_w_part);
      if (d_x != nullptr)
        for (std::int64_t j = 0; j < count; ++j) position_gradient(item, row + j, alpha[j], d_z[j]);
    }
    const std::int64_t padding_begin = std::max(begin, end), padding_end = space.splits.keys_of(split, T).end;
    std::fill(space.d_z + item * T + padding_begin, space.d_z + item * T + padding_end, 0.0f);
    float* const padding = d_x == nullptr ? nullptr : d_x + keys.first(item) * D;
    for (std::int64_t t = padding_begin; padding != nullptr && t < std::min(padding_end, keys.stored(item)); ++t)
      std::fill_n(padding + t * D, D, 0.0f);
  }

  HWY_INLINE void position_gradient(std::int64_t item, std::int64_t row, float alpha, float d_z) const {
    for_vectors(D, [&](auto access, std::int64_t at) HWY_ATTR {
      const Vector through_o = hn::Mul(set(alpha), access.load(d_o + item * D + at));
      access.store(hn::MulAdd(set(d_z), access.load(w + at), through_o), d_x + row * D + at);
    });
  }
};

void run_pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                          int threads) {
  const PoolingBackward pass(desc, args, workspace);
  const std::int64_t splits = pass.space.splits.count;
  parallel_for(threads, pass.B * splits,
               [&](std::int64_t task) HWY_ATTR { pass.scores(task / splits, task % splits); });
  parallel_for(threads, pass.B * splits,
               [&](std::int64_t task) HWY_ATTR { pass.gradients(task / splits, task % splits); });
  // 3. The sums over the batch, in order.
  if (pass.d_w != nullptr) sum_rows(pass.space.d_w, pass.B * splits, pass.D, pass.d_w);
  if (pass.d_b != nullptr) sum_rows(pass.space.d_z, pass.B, pass.T, pass.d_b);
}

}  // namespace attn::internal::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attn::internal::cpu {

HWY_EXPORT(run_pooling_forward);
HWY_EXPORT(run_pooling_backward);

void fp32::pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                           int threads) {
  HWY_DYNAMIC_DISPATCH(run_pooling_forward)(desc, args, workspace, threads);
}

void fp32::pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                            int threads) {
  HWY_DYNAMIC_DISPATCH(run_pooling_backward)(desc, args, workspace, threads);
}

}  // namespace attn::internal::cpu
#endif

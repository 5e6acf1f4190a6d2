// SPDX-License-Identifier: Apache-2.0
//
// Every sum has a fixed order, so results do not depend on the thread count.
#include "encoder/cpu/layers.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/convert.h"
#include "base/parallel.h"

namespace attn::internal::cpu {
namespace {

constexpr std::int64_t kValues = 1 << 14;  // minimum per task: fewer are not worth a thread
constexpr std::int64_t kColumns = 16;      // fp32 values in 64 bytes, so that tasks do not write to the same cache line

std::int64_t rows_per_task(std::int64_t width) { return std::max<std::int64_t>(1, kValues / width); }

// Calls body(Storage()) with the format of `dtype`, which has widen() and round(). Element<Storage> is the type in
// memory.
template <class Body>
void with_storage(attn_dtype_t dtype, const Body& body) {
  dtype == ATTN_DTYPE_FP32 ? body(Fp32()) : dtype == ATTN_DTYPE_FP16 ? body(Fp16()) : body(Bf16());
}

template <class Storage>
using Element = decltype(Storage::round(0.0f));

}  // namespace

void CpuLayers::embedding_forward(const Embedding& embedding, const float* table, void* rows) {
  const std::int64_t N = embedding.N, E = embedding.E;
  const std::int32_t* const ids = embedding.ids;
  with_storage(embedding.dtype, [&](auto storage) {
    auto* const out = static_cast<Element<decltype(storage)>*>(rows);
    parallel_for_slices(threads(), N, rows_per_task(E), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n)
        std::transform(table + ids[n] * E, table + (ids[n] + 1) * E, out + n * E, storage.round);
    });
  });
}

void CpuLayers::embedding_backward(const Embedding& embedding, const void* d_rows, float* d_table) {
  const std::int64_t N = embedding.N, V = embedding.V, E = embedding.E;
  const std::int32_t* const ids = embedding.ids;
  parallel_for_slices(threads(), V * E, kValues,
                      [&](std::int64_t begin, std::int64_t end) { std::fill(d_table + begin, d_table + end, 0.0f); });
  // Tasks own columns: ids repeat, and frequent ids would unbalance tasks that own rows.
  with_storage(embedding.dtype, [&](auto storage) {
    const auto* const in = static_cast<const Element<decltype(storage)>*>(d_rows);
    parallel_for_slices(threads(), E, std::max(kColumns, (E / threads() + kColumns - 1) / kColumns * kColumns),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t n = 0; n < N; ++n)
                            for (std::int64_t e = begin; e < end; ++e)
                              d_table[ids[n] * E + e] += storage.widen(in[n * E + e]);
                        });
  });
}

void CpuLayers::dense_forward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* b,
                              float* z) {
  parallel_for_slices(threads(), B, rows_per_task(D), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      float sum = 0;
      for (std::int64_t d = 0; d < D; ++d) sum += x[i * D + d] * w[d];
      z[i] = sum + *b;
    }
  });
}

void CpuLayers::dense_backward(std::int64_t B, std::int64_t D, const float* x, const float* w, const float* d_z,
                               float* d_x, float* d_w, float* d_b) {
  parallel_for_slices(threads(), B, rows_per_task(D), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t d = 0; d < D; ++d) d_x[i * D + d] = d_z[i] * w[d];
  });
  const std::int64_t columns = (rows_per_task(std::max<std::int64_t>(B, 1)) + kColumns - 1) / kColumns * kColumns;
  parallel_for_slices(threads(), D, columns, [&](std::int64_t begin, std::int64_t end) {
    std::fill(d_w + begin, d_w + end, 0.0f);
    for (std::int64_t i = 0; i < B; ++i)
      for (std::int64_t d = begin; d < end; ++d) d_w[d] += d_z[i] * x[i * D + d];
  });
  *d_b = 0;
  for (std::int64_t i = 0; i < B; ++i) *d_b += d_z[i];
}

void CpuLayers::sigmoid_cross_entropy(std::int64_t B, const float* z, const float* y, float scale, float* losses,
                                      float* d_z) {
  parallel_for_slices(threads(), B, kValues / 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (losses != nullptr) losses[i] = kernels::cross_entropy(z[i], y[i]);
      if (d_z != nullptr) d_z[i] = kernels::cross_entropy_gradient(z[i], y[i]) / static_cast<float>(B) * scale;
    }
  });
}

void CpuLayers::find_nonfinite(std::int64_t N, const float* numbers, std::int32_t* found) {
  std::atomic<bool> any{false};
  parallel_for_slices(threads(), N, kValues, [&](std::int64_t begin, std::int64_t end) {
    if (!std::all_of(numbers + begin, numbers + end, [](float number) { return std::isfinite(number); })) any = true;
  });
  *found = any ? 1 : 0;
}

void CpuLayers::dropout(attn_dtype_t dtype, std::int64_t N, float rate, std::uint64_t seed, std::uint32_t stream,
                        const void* in, void* out) {
  const kernels::DropoutMask mask = kernels::dropout_mask(rate, seed, stream);
  static_assert(kValues % kernels::kMaskElements == 0, "a task has whole counters");
  with_storage(dtype, [&](auto storage) {
    const auto* const from = static_cast<const Element<decltype(storage)>*>(in);
    auto* const to = static_cast<Element<decltype(storage)>*>(out);
    parallel_for_slices(threads(), N, kValues, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t first = begin; first < end; first += kernels::kMaskElements) {
        const kernels::RandomWords random = mask.words(first / kernels::kMaskElements);
        for (std::int64_t i = first; i < std::min(first + kernels::kMaskElements, end); ++i)
          to[i] = storage.round(mask.apply(random.words[i - first], storage.widen(from[i])));
      }
    });
  });
}

void CpuLayers::convert(std::int64_t N, attn_dtype_t from, const void* in, attn_dtype_t to, void* out) {
  with_storage(from, [&](auto source) {
    with_storage(to, [&](auto target) {
      const auto* const values = static_cast<const Element<decltype(source)>*>(in);
      auto* const rounded = static_cast<Element<decltype(target)>*>(out);
      parallel_for_slices(threads(), N, kValues, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) rounded[i] = target.round(source.widen(values[i]));
      });
    });
  });
}

void CpuLayers::copy_lengths(std::int64_t B, const std::int32_t* lengths, std::int32_t* copy) {
  std::copy_n(lengths, B, copy);
}

}  // namespace attn::internal::cpu

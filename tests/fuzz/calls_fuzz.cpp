// SPDX-License-Identifier: Apache-2.0
//
// Bytes as a sequence of choices: which function of the C interface is called, with which sizes, options and pointers. Each
// array is a block of exactly its size, so that the address sanitizer sees every access beyond it. A call succeeds, or is
// refused with a message.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "attn_cuda/recurrent.h"
#include "fuzz/call_arrays.h"

using namespace attn::test;

namespace {

// Whether the call succeeded. A refusal has a message, and no input reveals a defect of the library.
bool good(attn_status_t status) {
  if (status == ATTN_SUCCESS) return true;
  const bool expected = status == ATTN_INVALID_ARGUMENT || status == ATTN_UNSUPPORTED || status == ATTN_OUT_OF_MEMORY;
  if (expected && attn_last_error()[0] != '\0') return false;
  std::fprintf(stderr, "status %d: %s\n", static_cast<int>(status), attn_last_error());
  std::abort();
}

std::size_t bytes_of(attn_dtype_t dtype) { return dtype == ATTN_DTYPE_FP32 ? 4 : 2; }

bool is_small(std::initializer_list<std::int64_t> sizes) { return count_of(sizes) >= 0; }

void call_additive(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  attn_additive_desc_t d{c.struct_size(sizeof d), c.dtype(), c.size(), c.size(), c.size(), c.size(), c.size()};
  const auto pass = static_cast<attn_pass_t>(c.byte() % 2);
  std::size_t bytes = 0;
  if (!good(attn_additive_workspace_size(handle, &d, pass, &bytes)) || !is_small({d.B, d.Q, d.T, d.A}) ||
      !is_small({d.B, d.Q, d.T, d.D}))
    return;
  const std::size_t e = bytes_of(d.dtype);
  void* const workspace = arrays.memory(bytes);
  void *q = arrays.of(e, {d.B, d.Q, d.A}), *k = arrays.of(e, {d.B, d.T, d.A}), *v = arrays.of(e, {d.A}),
       *x = arrays.of(e, {d.B, d.T, d.D});
  std::int32_t *lengths = arrays.lengths(d.B, d.T), *starts = nullptr;
  if (c.rarely()) starts = arrays.lengths(d.B + 1, d.T);
  void *o = arrays.of(e, {d.B, d.Q, d.D}), *weights = arrays.of(e, {d.B, d.Q, d.T});
  float* lse = arrays.floats({d.B, d.Q});
  if (arrays.too_large()) return;
  if (pass == ATTN_PASS_FORWARD) {
    const attn_additive_forward_args_t a{c.struct_size(sizeof a), q, k, v, x, lengths, starts, o, weights, lse};
    good(attn_additive_forward(handle, &d, &a, workspace, bytes));
  } else {
    const attn_additive_backward_args_t a{c.struct_size(sizeof a),
                                          q,
                                          k,
                                          v,
                                          x,
                                          lengths,
                                          starts,
                                          lse,
                                          weights,
                                          o,
                                          arrays.of(e, {d.B, d.Q, d.T}),
                                          arrays.of(e, {d.B, d.Q, d.A}),
                                          arrays.of(e, {d.B, d.T, d.A}),
                                          arrays.of(e, {d.A}),
                                          arrays.of(e, {d.B, d.T, d.D})};
    good(attn_additive_backward(handle, &d, &a, workspace, bytes));
  }
}

void call_pooling(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  attn_pooling_desc_t d{c.struct_size(sizeof d), c.dtype(), c.size(), c.size(), c.size()};
  const auto pass = static_cast<attn_pass_t>(c.byte() % 2);
  std::size_t bytes = 0;
  if (!good(attn_pooling_workspace_size(handle, &d, pass, &bytes)) || !is_small({d.B, d.T, d.D})) return;
  const std::size_t e = bytes_of(d.dtype);
  void* const workspace = arrays.memory(bytes);
  void *x = arrays.of(e, {d.B, d.T, d.D}), *w = arrays.of(e, {d.D}), *b = arrays.of(e, {d.T});
  std::int32_t *lengths = arrays.lengths(d.B, d.T), *starts = nullptr;
  if (c.rarely()) starts = arrays.lengths(d.B + 1, d.T);
  void *o = arrays.of(e, {d.B, d.D}), *weights = arrays.of(e, {d.B, d.T});
  if (arrays.too_large()) return;
  if (pass == ATTN_PASS_FORWARD) {
    const attn_pooling_forward_args_t a{c.struct_size(sizeof a), x, w, b, lengths, starts, o, weights};
    good(attn_pooling_forward(handle, &d, &a, workspace, bytes));
  } else {
    const attn_pooling_backward_args_t a{c.struct_size(sizeof a),
                                         x,
                                         w,
                                         b,
                                         lengths,
                                         starts,
                                         o,
                                         weights,
                                         arrays.of(e, {d.B, d.T, d.D}),
                                         arrays.of(e, {d.D}),
                                         arrays.of(e, {d.T})};
    good(attn_pooling_backward(handle, &d, &a, workspace, bytes));
  }
}

void call_projected(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  attn_projected_desc_t d{
      c.struct_size(sizeof d), c.dtype(), c.size(), c.size(), c.size(), c.size(), c.size(), c.size(), c.byte() % 3};
  const auto pass = static_cast<attn_pass_t>(c.byte() % 2);
  std::size_t bytes = 0, kept = 0;
  if (!good(attn_projected_workspace_size(handle, &d, pass, &bytes)) ||
      !good(attn_projected_reserve_size(handle, &d, &kept)) || !is_small({d.B, d.Q, d.T, d.A}) ||
      !is_small({d.B, d.Q, d.T, d.D}) || !is_small({d.A, d.D, d.H}))
    return;
  const std::size_t e = bytes_of(d.dtype), shared = d.shared_query == 1 ? 4 : e;
  const std::int64_t items = d.shared_query == 1 ? 1 : d.B;
  void *const workspace = arrays.memory(bytes), *const reserve = arrays.memory(kept);
  void *x = arrays.of(e, {d.B, d.T, d.D}), *h = arrays.of(shared, {items, d.Q, d.H});
  float *w_q = arrays.floats({d.A, d.H}), *w_k = arrays.floats({d.A, d.D}), *b = arrays.floats({d.A}),
        *v = arrays.floats({d.A});
  std::int32_t* lengths = arrays.lengths(d.B, d.T);
  void *o = arrays.of(e, {d.B, d.Q, d.D}), *weights = arrays.of(e, {d.B, d.Q, d.T});
  if (arrays.too_large()) return;
  if (pass == ATTN_PASS_FORWARD) {
    const attn_projected_forward_args_t a{c.struct_size(sizeof a), x, h, w_q, w_k, b, v, lengths, o, weights, reserve};
    good(attn_projected_forward(handle, &d, &a, workspace, bytes));
  } else {
    const attn_projected_backward_args_t a{c.struct_size(sizeof a),
                                           x,
                                           h,
                                           w_q,
                                           w_k,
                                           b,
                                           v,
                                           lengths,
                                           reserve,
                                           weights,
                                           o,
                                           arrays.of(e, {d.B, d.Q, d.T}),
                                           arrays.of(e, {d.B, d.T, d.D}),
                                           arrays.of(shared, {items, d.Q, d.H}),
                                           arrays.floats({d.A, d.H}),
                                           arrays.floats({d.A, d.D}),
                                           arrays.floats({d.A}),
                                           arrays.floats({d.A})};
    good(attn_projected_backward(handle, &d, &a, workspace, bytes));
  }
}

void call_lstm(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  attn_lstm_desc_t d{
      c.struct_size(sizeof d), c.dtype(), c.size(), c.size(), c.size(), c.size(), c.byte() % 4, c.byte() % 3};
  if (d.B > 0 && d.T > 0 && d.E > 0 && d.H > 0 &&
      (!is_small({d.B, d.T, d.E}) || !is_small({d.B, d.T, d.H}) || !is_small({d.E, d.H}) || !is_small({d.H, d.H})))
    return;
  attn_lstm_t plan = nullptr;
  if (!good(attn_lstm_create(handle, &d, &plan))) return;
  const std::unique_ptr<attn_lstm, decltype(&attn_lstm_destroy)> owner(plan, attn_lstm_destroy);
  const auto pass = static_cast<attn_pass_t>(c.byte() % 2);
  std::size_t bytes = 0, kept = 0;
  if (!good(attn_lstm_workspace_size(plan, pass, &bytes)) || !good(attn_lstm_reserve_size(plan, &kept))) return;
  const std::size_t e = bytes_of(d.dtype);
  const std::int64_t n = d.directions;
  void *const workspace = arrays.memory(bytes), *const reserve = d.training == 1 ? arrays.memory(kept) : nullptr;
  void* x = arrays.of(e, {d.B, d.T, d.E});
  float *kernel = arrays.floats({n, d.E, 4, d.H}), *recurrent = arrays.floats({n, d.H, 4, d.H}),
        *bias = arrays.floats({n, 4, d.H});
  std::int32_t* lengths = arrays.lengths(d.B, d.T);
  void* y = arrays.of(e, {d.B, d.T, n, d.H});
  if (arrays.too_large()) return;
  if (pass == ATTN_PASS_FORWARD) {
    const attn_lstm_forward_args_t a{c.struct_size(sizeof a), x, kernel, recurrent, bias, lengths, y, reserve};
    good(attn_lstm_forward(plan, &a, workspace, bytes));
  } else {
    const attn_lstm_backward_args_t a{c.struct_size(sizeof a),
                                      x,
                                      kernel,
                                      recurrent,
                                      bias,
                                      lengths,
                                      y,
                                      reserve,
                                      arrays.of(e, {d.B, d.T, n, d.H}),
                                      arrays.of(e, {d.B, d.T, d.E}),
                                      arrays.floats({n, d.E, 4, d.H}),
                                      arrays.floats({n, d.H, 4, d.H}),
                                      arrays.floats({n, 4, d.H})};
    good(attn_lstm_backward(plan, &a, workspace, bytes));
  }
}

void call_recurrent(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  attn_recurrent_desc_t d{};
  d.struct_size = c.struct_size(sizeof d);
  d.dtype = c.dtype();
  d.B = c.size() % 10, d.T = c.size() % 20, d.E = c.size() % 10, d.H = c.size() % 10;
  d.layers = c.byte() % 4, d.directions = c.byte() % 4;
  d.dropout = static_cast<float>(c.byte()) / 200;
  d.training = c.byte() % 3;
  d.attention = static_cast<attn_attention_t>(c.byte() % 3);
  d.positions = c.size(), d.Q = c.size() % 10, d.A = c.size() % 10, d.P = c.size() % 10;
  d.omit_key_bias = c.byte() % 3;
  if (d.positions > kLargestArray) return;
  attn_recurrent_t plan = nullptr;
  if (!good(attn_recurrent_create(handle, &d, &plan))) return;
  const std::unique_ptr<attn_recurrent, decltype(&attn_recurrent_destroy)> owner(plan, attn_recurrent_destroy);
  const auto pass = static_cast<attn_pass_t>(c.byte() % 2);
  std::size_t bytes = 0, kept = 0;
  std::int64_t block = 0;
  if (!good(attn_recurrent_workspace_size(plan, pass, &bytes)) || !good(attn_recurrent_reserve_size(plan, &kept)) ||
      !good(attn_recurrent_block_size(plan, &block)))
    return;
  const std::size_t e = bytes_of(d.dtype);
  const std::int64_t D = d.directions * d.H, rows = d.attention == ATTN_ATTENTION_POOLING ? 1 : d.Q;
  void *const workspace = arrays.memory(bytes), *const reserve = d.training == 1 ? arrays.memory(kept) : nullptr;
  void* x = arrays.of(e, {d.B, d.T, d.E});
  float* parameters = arrays.floats({block});
  std::int32_t* lengths = arrays.lengths(d.B, d.T);
  void *o = arrays.of(e, {d.B, rows, D}), *weights = arrays.of(e, {d.B, rows, d.T});
  const std::uint64_t seed = c.byte();
  if (arrays.too_large()) return;
  if (pass == ATTN_PASS_FORWARD) {
    const attn_recurrent_forward_args_t a{c.struct_size(sizeof a), x, parameters, lengths, seed, o, weights, reserve};
    good(attn_recurrent_forward(plan, &a, workspace, bytes));
  } else {
    const attn_recurrent_backward_args_t a{
        c.struct_size(sizeof a), x, parameters, lengths, seed, reserve, o, weights, arrays.of(e, {d.B, d.T, d.E}),
        arrays.floats({block})};
    good(attn_recurrent_backward(plan, &a, workspace, bytes));
  }
}

void call_layers(attn_handle_t handle, Choices& c) {
  Arrays arrays(c);
  const std::int64_t N = c.size(), V = c.size(), E = c.size();
  const attn_dtype_t dtype = c.dtype(), other = c.dtype();
  const std::uint8_t choice = c.byte() % 8;
  std::int32_t* ids = V > 0 ? arrays.lengths(N, V - 1) : arrays.lengths(N, 0);
  void *rows = arrays.of(bytes_of(dtype), {N, E}), *out = arrays.of(bytes_of(other), {N, E});
  float *table = arrays.floats({V, E}), *a = arrays.floats({N}), *b = arrays.floats({N}), *p = arrays.floats({N}),
        *s = arrays.floats({N});
  if (arrays.too_large()) return;
  const attn_adam_desc_t adam{
      c.struct_size(sizeof adam), 0.1F, 0.9F, static_cast<float>(c.byte()) / 250, 1e-7F, c.size(), 1.0F, nullptr};
  std::int64_t elements = 0;
  if (__builtin_mul_overflow(N, E, &elements)) return;
  switch (choice) {
    case 0:
      good(attn_embedding_forward(handle, dtype, N, V, E, ids, table, rows));
      break;
    case 1:
      good(attn_embedding_backward(handle, dtype, N, V, E, ids, rows, table, nullptr, 0));
      break;
    case 2:
      good(attn_dense_forward(handle, N, E, arrays.floats({N, E}), arrays.floats({E}), arrays.floats({1}), a));
      break;
    case 3:
      good(attn_dense_backward(handle, N, E, arrays.floats({N, E}), arrays.floats({E}), a, arrays.floats({N, E}),
                               arrays.floats({E}), arrays.floats({1})));
      break;
    case 4:
      good(attn_sigmoid_cross_entropy(handle, N, a, b, static_cast<float>(c.byte()), p, s));
      break;
    case 5:
      good(attn_convert(handle, elements, dtype, rows, other, out));
      break;
    case 6:
      good(attn_adam_step(handle, &adam, N, a, b, p, s));
      break;
    default:
      good(attn_dropout(handle, dtype, elements, static_cast<float>(c.byte()) / 200, c.byte(), c.byte(), rows, rows));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static attn_handle_t handle = [] {
    attn_handle_t created = nullptr;
    if (attn_create(&created, ATTN_BACKEND_CPU) != ATTN_SUCCESS) std::abort();
    return created;
  }();
  constexpr std::array kCalls = {call_additive, call_pooling, call_projected, call_lstm, call_recurrent, call_layers};
  Choices choices(bytes, count);
  kCalls[choices.byte() % kCalls.size()](handle, choices);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// A valid call of every function of libattn_cuda_encoder, and the changes that make it invalid. The rows of
// arguments_test.cpp are composed of these.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "attn_cuda/encoder.hpp"
#include "attn_cuda/recurrent.h"

namespace attn::test {

inline constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Valid calls with B = 2, Q = 3, T = 4, A = 5, D = E = 6, H = 7, V = 8. Each row changes one argument.
struct Calls {
  attn::Handle owner;
  attn_handle_t handle = owner.get();
  std::vector<float> values = std::vector<float>(2000);
  float* f = values.data();
  std::vector<std::int32_t> lengths = {4, 0}, ids = {7, 0};
  alignas(64) char memory[1 << 17] = {};
  alignas(64) char kept[1 << 17] = {};
  void* workspace = memory;
  std::size_t workspace_bytes = sizeof memory, bytes = 0;
  std::size_t* bytes_out = &bytes;
  attn_pass_t pass = ATTN_PASS_FORWARD;

  attn_projected_desc_t projected{sizeof projected, ATTN_DTYPE_FP32, 2, 3, 4, 5, 6, 7, 0};
  attn_projected_forward_args_t projected_in{sizeof projected_in, f, f, f, f, f, f, lengths.data(), f, nullptr, kept};
  attn_projected_backward_args_t projected_back{sizeof projected_back,
                                                f,
                                                f,
                                                f,
                                                f,
                                                f,
                                                f,
                                                lengths.data(),
                                                kept,
                                                nullptr,
                                                f,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr,
                                                nullptr};
  const attn_projected_desc_t* projected_desc = &projected;
  const attn_projected_forward_args_t* projected_in_args = &projected_in;
  const attn_projected_backward_args_t* projected_back_args = &projected_back;

  attn_lstm_desc_t lstm{sizeof lstm, ATTN_DTYPE_FP32, 2, 4, 6, 7, 2, 1};
  attn_lstm_forward_args_t lstm_in{sizeof lstm_in, f, f, f, f, lengths.data(), f, kept};
  attn_lstm_backward_args_t lstm_back{sizeof lstm_back, f, f, f, f, lengths.data(), f, kept, f, f, f, f, f};
  const attn_lstm_desc_t* lstm_desc = &lstm;
  const attn_lstm_forward_args_t* lstm_in_args = &lstm_in;
  const attn_lstm_backward_args_t* lstm_back_args = &lstm_back;
  attn_lstm_t made = make_plan();
  attn_lstm_t plan = made, created = nullptr;
  attn_lstm_t* created_out = &created;

  std::int64_t N = 2, V = 8, E = 6, B = 2, D = 6;
  const float *table = f, *d_rows = f, *x = f, *w = f, *b = f, *d_z = f, *z = f, *g = f;
  float *rows = f, *d_table = f, *z_out = f, *d_x = f, *d_w = f, *d_b = f, *p = f, *m = f, *s = f;
  std::int32_t* id = ids.data();
  attn_dtype_t dtype = ATTN_DTYPE_FP32, from = ATTN_DTYPE_FP32, to = ATTN_DTYPE_FP32;
  const float* in = f;
  float *to_out = f, scale = 1, rate = 0.5f;
  std::int32_t* found = lengths.data();
  std::vector<float> labels = {0, 1};
  const float* y = labels.data();
  attn_adam_desc_t adam{sizeof adam, 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1, nullptr};
  const attn_adam_desc_t* adam_desc = &adam;

  ~Calls() {
    attn_lstm_destroy(created);
    attn_lstm_destroy(made);
  }

  attn_lstm_t make_plan() {
    attn_lstm_t out = nullptr;
    attn::check(attn_lstm_create(owner.get(), &lstm, &out));
    return out;
  }
  // Replaces the plan by another one, and its reserve space if it needs any.
  void remake_plan(int training) {
    attn::check(attn_lstm_destroy(made));
    lstm.training = training;
    plan = made = make_plan();
    if (training == 0) lstm_in.reserve = nullptr;
  }
  void destroy_plan() {
    attn::check(attn_lstm_destroy(made));
    made = nullptr;
  }

  attn_status_t projected_reserve() { return attn_projected_reserve_size(handle, projected_desc, bytes_out); }
  attn_status_t projected_size() { return attn_projected_workspace_size(handle, projected_desc, pass, bytes_out); }
  attn_status_t projected_forward() {
    return attn_projected_forward(handle, projected_desc, projected_in_args, workspace, workspace_bytes);
  }
  attn_status_t projected_backward() {
    return attn_projected_backward(handle, projected_desc, projected_back_args, workspace, workspace_bytes);
  }
  attn_status_t lstm_create() { return attn_lstm_create(handle, lstm_desc, created_out); }
  attn_status_t lstm_destroy() { return attn_lstm_destroy(plan); }
  attn_status_t lstm_reserve() { return attn_lstm_reserve_size(plan, bytes_out); }
  attn_status_t lstm_size() { return attn_lstm_workspace_size(plan, pass, bytes_out); }
  attn_status_t lstm_forward() { return attn_lstm_forward(plan, lstm_in_args, workspace, workspace_bytes); }
  attn_status_t lstm_backward() { return attn_lstm_backward(plan, lstm_back_args, workspace, workspace_bytes); }
  attn_status_t embedding_forward() { return attn_embedding_forward(handle, dtype, N, V, E, id, table, rows); }
  attn_status_t embedding_size() { return attn_embedding_workspace_size(handle, N, V, E, bytes_out); }
  attn_status_t embedding_backward() {
    return attn_embedding_backward(handle, dtype, N, V, E, id, d_rows, d_table, workspace, workspace_bytes);
  }
  attn_status_t dense_forward() { return attn_dense_forward(handle, B, D, x, w, b, z_out); }
  attn_status_t dense_backward() { return attn_dense_backward(handle, B, D, x, w, d_z, d_x, d_w, d_b); }
  attn_status_t cross_entropy() { return attn_sigmoid_cross_entropy(handle, B, z, y, scale, z_out, d_x); }
  attn_status_t convert() { return attn_convert(handle, N, from, in, to, to_out); }
  attn_status_t find_nonfinite() { return attn_find_nonfinite(handle, N, in, found); }
  attn_status_t dropout() { return attn_dropout(handle, dtype, N, rate, 1, 0, in, to_out); }
  attn_status_t adam_step() { return attn_adam_step(handle, adam_desc, N, g, p, m, s); }
};

using Call = attn_status_t (Calls::*)();
using Change = std::function<void(Calls&)>;

inline const std::vector<Call> kProjected = {&Calls::projected_reserve, &Calls::projected_size,
                                             &Calls::projected_forward, &Calls::projected_backward};
inline const std::vector<Call> kProjectedRuns = {&Calls::projected_forward, &Calls::projected_backward};
inline const std::vector<Call> kCreate = {&Calls::lstm_create};
inline const std::vector<Call> kPlan = {&Calls::lstm_reserve, &Calls::lstm_size, &Calls::lstm_forward,
                                        &Calls::lstm_backward};
inline const std::vector<Call> kPlanRuns = {&Calls::lstm_forward, &Calls::lstm_backward};
inline const std::vector<Call> kEmbedding = {&Calls::embedding_forward, &Calls::embedding_backward};
inline const std::vector<Call> kEmbeddingSize = {&Calls::embedding_size};
inline const std::vector<Call> kDense = {&Calls::dense_forward, &Calls::dense_backward};
inline const std::vector<Call> kCrossEntropy = {&Calls::cross_entropy};
inline const std::vector<Call> kAdam = {&Calls::adam_step};
inline const std::vector<Call> kConvert = {&Calls::convert};
inline const std::vector<Call> kFind = {&Calls::find_nonfinite};
inline const std::vector<Call> kDropout = {&Calls::dropout};

inline std::vector<Call> operator+(std::vector<Call> a, const std::vector<Call>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline const std::vector<Call> kHandle =
    kProjected + kCreate + kEmbedding + kEmbeddingSize + kDense + kCrossEntropy + kAdam + kConvert + kFind + kDropout;
inline const std::vector<Call> kDescs = kProjected + kCreate;
inline const std::vector<Call> kRuns = kProjectedRuns + kPlanRuns;

struct Rule {
  const char* message;      // the beginning of the error message
  std::vector<Call> calls;  // each of which must fail
  Change change;
  attn_status_t status = ATTN_INVALID_ARGUMENT;
};

// Applies one change to the descriptors, or to the arguments, of both mechanisms.
template <class F>
Change descs(F change) {
  return [change](Calls& c) { change(c.projected), change(c.lstm); };
}
template <class F>
Change args(F change) {
  return
      [change](Calls& c) { change(c.projected_in), change(c.projected_back), change(c.lstm_in), change(c.lstm_back); };
}
template <class F>
Change projected_args(F change) {
  return [change](Calls& c) { change(c.projected_in), change(c.projected_back); };
}
template <class F>
Change lstm_args(F change) {
  return [change](Calls& c) { change(c.lstm_in), change(c.lstm_back); };
}

}  // namespace attn::test

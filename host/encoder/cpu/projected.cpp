// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/projected.h"

#include "cpu/carver.h"
#include "encoder/cpu/projection.h"
#include "encoder/cpu/tasks.h"
#include "encoder/handle.h"

namespace attn::cpu {
namespace {

constexpr std::int64_t kSummed = 1024;  // columns of a task that sums over items

const float* fp32(const void* tensor) { return static_cast<const float*>(tensor); }
float* fp32(void* tensor) { return static_cast<float*>(tensor); }

attn_additive_desc_t additive_desc(const attn_projected_desc_t& desc) {
  return {sizeof(attn_additive_desc_t), desc.dtype, desc.B, desc.Q, desc.T, desc.A, desc.D};
}

std::size_t additive_workspace(attn_handle_t handle, const attn_projected_desc_t& desc, attn_pass_t pass) {
  const attn_additive_desc_t additive = additive_desc(desc);
  std::size_t bytes = 0;
  require_success(attn_additive_workspace_size(handle, &additive, pass, &bytes));
  return bytes;
}

// The projections and lse, or in the workspace of backward the gradients of the projections.
struct Projections {
  float* q;    // [B, Q, A]
  float* k;    // [B, T, A]
  float* lse;  // [B, Q]
  std::size_t bytes;

  // Of a null buffer, to learn its size.
  Projections(const attn_projected_desc_t& desc, void* buffer) {
    Carver carver(buffer);
    q = carver.take<float>(desc.B * desc.Q * desc.A);
    k = carver.take<float>(desc.B * desc.T * desc.A);
    lse = carver.take<float>(desc.B * desc.Q);
    bytes = carver.bytes();
  }
};

// Distinct rows of h: a shared query counts once, and not at all where there is no item to share it.
Sequences query_rows(const attn_projected_desc_t& desc) {
  return {desc.shared_query ? std::min<std::int64_t>(desc.B, 1) : desc.B, desc.Q, nullptr};
}

// d_h and d_w_q, where wanted, from d_q [B, Q, A], which is summed over the items in place if they share their queries.
void query_gradients(const attn_projected_desc_t& desc, const attn_projected_backward_args_t& args, float* d_q,
                     int threads) {
  const Sequences rows = query_rows(desc);
  if (desc.shared_query && desc.B > 1) {
    const std::int64_t item = desc.Q * desc.A;
    run_pieces(threads, item, kSummed, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = 1; b < desc.B; ++b)
        for (std::int64_t i = begin; i < end; ++i) d_q[i] += d_q[b * item + i];
    });
  }
  if (args.d_h != nullptr) {
    if (desc.shared_query && desc.B == 0) std::fill_n(fp32(args.d_h), desc.Q * desc.H, 0.0f);
    project_back(threads, rows, desc.A, desc.H, d_q, fp32(args.w_q), fp32(args.d_h), false);
  }
  if (args.d_w_q != nullptr) projection_gradient(threads, rows, desc.A, desc.H, d_q, fp32(args.h), fp32(args.d_w_q));
}

}  // namespace

std::size_t projected_reserve(const attn_projected_desc_t& desc) { return Projections(desc, nullptr).bytes; }

std::size_t projected_workspace(attn_handle_t handle, const attn_projected_desc_t& desc, attn_pass_t pass) {
  return Projections(desc, nullptr).bytes + additive_workspace(handle, desc, pass);
}

void projected_forward(attn_handle_t handle, const attn_projected_desc_t& desc,
                       const attn_projected_forward_args_t& args, void* workspace, int threads) {
  const Projections made(desc, args.reserve == nullptr ? workspace : args.reserve);
  project(threads, query_rows(desc), desc.A, desc.H, fp32(args.h), fp32(args.w_q), made.q);
  if (desc.shared_query && desc.B > 1) {
    const std::int64_t item = desc.Q * desc.A;
    run_tasks(threads, desc.B - 1, [&](std::int64_t b) { std::copy_n(made.q, item, made.q + (b + 1) * item); });
  }
  project(threads, {desc.B, desc.T, args.lengths}, desc.A, desc.D, fp32(args.x), fp32(args.w_k), made.k);

  const attn_additive_desc_t additive = additive_desc(desc);
  attn_additive_forward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = made.q;
  additive_args.k = made.k;
  additive_args.v = args.v;
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.o = args.o;
  additive_args.weights = args.weights;
  additive_args.lse = made.lse;
  require_success(attn_additive_forward(handle, &additive, &additive_args,
                                        static_cast<std::byte*>(workspace) + made.bytes,
                                        additive_workspace(handle, desc, ATTN_PASS_FORWARD)));
}

void projected_backward(attn_handle_t handle, const attn_projected_desc_t& desc,
                        const attn_projected_backward_args_t& args, void* workspace, int threads) {
  const Projections kept(desc, const_cast<void*>(args.reserve));  // only read
  const Projections gradients(desc, workspace);
  const Sequences keys{desc.B, desc.T, args.lengths};

  const attn_additive_desc_t additive = additive_desc(desc);
  attn_additive_backward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = kept.q;
  additive_args.k = kept.k;
  additive_args.v = args.v;
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.lse = kept.lse;
  additive_args.weights = args.weights;
  additive_args.d_o = args.d_o;
  additive_args.d_weights = args.d_weights;
  additive_args.d_q = args.d_h != nullptr || args.d_w_q != nullptr ? gradients.q : nullptr;
  additive_args.d_k = args.d_x != nullptr || args.d_w_k != nullptr ? gradients.k : nullptr;
  additive_args.d_v = args.d_v;
  additive_args.d_x = args.d_x;
  require_success(attn_additive_backward(handle, &additive, &additive_args,
                                         static_cast<std::byte*>(workspace) + gradients.bytes,
                                         additive_workspace(handle, desc, ATTN_PASS_BACKWARD)));

  if (args.d_x != nullptr)
    project_back(threads, keys, desc.A, desc.D, gradients.k, fp32(args.w_k), fp32(args.d_x), true);
  if (args.d_w_k != nullptr)
    projection_gradient(threads, keys, desc.A, desc.D, gradients.k, fp32(args.x), fp32(args.d_w_k));
  if (additive_args.d_q != nullptr) query_gradients(desc, args, gradients.q, threads);
}

}  // namespace attn::cpu

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "encoder/handle.h"
#include "encoder/projected.h"
#include "kernels/tune.h"

namespace attn {
namespace {

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
    kernels::Layout layout;
    const auto take = [&](kernels::Index count) {
      const kernels::Index at = layout.take(count);
      return buffer == nullptr ? nullptr : fp32(static_cast<std::byte*>(buffer) + at);
    };
    q = take(desc.B * desc.Q * desc.A);
    k = take(desc.B * desc.T * desc.A);
    lse = take(desc.B * desc.Q);
    bytes = static_cast<std::size_t>(layout.bytes());
  }
};

// Distinct rows of h: a shared query counts once, and not at all where there is no item to share it.
ItemRows query_rows(const attn_projected_desc_t& desc) {
  return {desc.shared_query ? std::min<std::int64_t>(desc.B, 1) : desc.B, desc.Q, nullptr};
}

// d_h and d_w_q, where wanted, from d_q [B, Q, A], which is summed over the items in place if they share their queries.
void query_gradients(Linear& linear, const attn_projected_desc_t& desc, const attn_projected_backward_args_t& args,
                     float* d_q, void* workspace) {
  const ItemRows rows = query_rows(desc);
  if (desc.shared_query && desc.B > 1) linear.sum_into_first(desc.B, desc.Q * desc.A, d_q, workspace);
  if (args.d_h != nullptr) {
    if (desc.shared_query && desc.B == 0) linear.fill_zero(desc.Q * desc.H, fp32(args.d_h));
    linear.project_back(rows, desc.A, desc.H, d_q, fp32(args.w_q), fp32(args.d_h), false, workspace);
  }
  if (args.d_w_q != nullptr)
    linear.weight_gradient(rows, desc.A, desc.H, d_q, fp32(args.h), fp32(args.d_w_q), workspace);
}

}  // namespace

std::size_t projected_reserve(const attn_projected_desc_t& desc) { return Projections(desc, nullptr).bytes; }

std::size_t projected_workspace(attn_handle_t handle, const Linear& linear, const attn_projected_desc_t& desc,
                                attn_pass_t pass) {
  const std::size_t linear_bytes = std::max(linear.workspace_bytes({desc.B, desc.T, nullptr}, desc.D),
                                            linear.workspace_bytes({desc.B, desc.Q, nullptr}, desc.H));
  return Projections(desc, nullptr).bytes + std::max(linear_bytes, additive_workspace(handle, desc, pass));
}

void projected_forward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                       const attn_projected_forward_args_t& args, void* workspace) {
  const Projections made(desc, args.reserve == nullptr ? workspace : args.reserve);
  void* const scratch = static_cast<std::byte*>(workspace) + made.bytes;
  linear.project(query_rows(desc), desc.A, desc.H, fp32(args.h), fp32(args.w_q), nullptr, made.q, scratch);
  if (desc.shared_query && desc.B > 1) linear.repeat_first(desc.B, desc.Q * desc.A, made.q);
  linear.project({desc.B, desc.T, args.lengths}, desc.A, desc.D, fp32(args.x), fp32(args.w_k), fp32(args.b), made.k,
                 scratch);

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
  require_success(attn_additive_forward(handle, &additive, &additive_args, scratch,
                                        additive_workspace(handle, desc, ATTN_PASS_FORWARD)));
}

void projected_backward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                        const attn_projected_backward_args_t& args, void* workspace) {
  const Projections kept(desc, const_cast<void*>(args.reserve));  // only read
  const Projections gradients(desc, workspace);
  void* const scratch = static_cast<std::byte*>(workspace) + gradients.bytes;
  const ItemRows keys{desc.B, desc.T, args.lengths};
  const bool wants_k = args.d_x != nullptr || args.d_w_k != nullptr || args.d_b != nullptr;

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
  additive_args.d_k = wants_k ? gradients.k : nullptr;
  additive_args.d_v = args.d_v;
  additive_args.d_x = args.d_x;
  require_success(attn_additive_backward(handle, &additive, &additive_args, scratch,
                                         additive_workspace(handle, desc, ATTN_PASS_BACKWARD)));

  if (args.d_x != nullptr)
    linear.project_back(keys, desc.A, desc.D, gradients.k, fp32(args.w_k), fp32(args.d_x), true, scratch);
  if (args.d_w_k != nullptr)
    linear.weight_gradient(keys, desc.A, desc.D, gradients.k, fp32(args.x), fp32(args.d_w_k), scratch);
  if (args.d_b != nullptr) linear.bias_gradient(keys, desc.A, gradients.k, fp32(args.d_b), scratch);
  if (additive_args.d_q != nullptr) query_gradients(linear, desc, args, gradients.q, scratch);
}

}  // namespace attn

// SPDX-License-Identifier: Apache-2.0
#include "encoder/plan/projected.h"

#include <algorithm>

#include "base/dtype.h"
#include "encoder/base/handle.h"

namespace attn::internal {
namespace {

std::int64_t element(const attn_projected_desc_t& desc) { return static_cast<std::int64_t>(element_bytes(desc.dtype)); }

bool is_16_bit(const attn_projected_desc_t& desc) { return desc.dtype != ATTN_DTYPE_FP32; }

attn_projected_desc_t supported(const Linear& linear, attn_projected_desc_t desc) {
  if (!linear.supports(desc.dtype)) desc.dtype = ATTN_DTYPE_FP32;
  return desc;
}

}  // namespace

ProjectedPlan::ReserveLayout::ReserveLayout(const attn_projected_desc_t& desc)
    : q(add(desc.B * desc.Q * desc.A, element(desc))),
      k(add(desc.B * desc.T * desc.A, element(desc))),
      lse(add(desc.B * desc.Q)) {}

ProjectedPlan::WorkspaceLayout::WorkspaceLayout(const attn_projected_desc_t& desc)
    : ReserveLayout(desc),
      v(add(is_16_bit(desc) ? desc.A : 0, element(desc))),
      d_v(add(is_16_bit(desc) ? desc.A : 0, element(desc))),
      shared(add_rows(is_16_bit(desc) && desc.shared_query != 0 ? desc.Q : 0, desc.A)),
      scratch(bytes()) {}

ProjectedPlan::ProjectedPlan(attn_handle_t handle, EncoderBackend& backend, const attn_projected_desc_t& desc)
    : handle_(handle),
      linear_(backend.linear()),
      layers_(backend.layers()),
      desc_(supported(linear_, desc)),
      copied_(desc_.dtype == desc.dtype ? ATTN_DTYPE_FP32 : desc.dtype),
      layout_(desc_) {}

std::size_t ProjectedPlan::reserve_bytes() const { return static_cast<std::size_t>(ReserveLayout(desc_).bytes()); }

std::size_t ProjectedPlan::workspace_bytes(attn_pass_t pass) const {
  Fp32Copies all = copies(nullptr, nullptr);
  if (pass == ATTN_PASS_FORWARD)
    with_fp32_copies(attn_projected_forward_args_t{}, all);
  else
    with_fp32_copies(attn_projected_backward_args_t{}, all);
  const LinearMap keys{desc_.dtype, {desc_.B, desc_.T, nullptr}, desc_.A, desc_.D, nullptr};
  const LinearMap queries{query_dtype(desc_), {desc_.B, desc_.Q, nullptr}, desc_.A, desc_.H, nullptr};
  return all.bytes() + static_cast<std::size_t>(layout_.scratch) +
         std::max({linear_.workspace_bytes(keys), linear_.workspace_bytes(queries),
                   linear_.sum_workspace_bytes(desc_.Q * desc_.A), additive_workspace(pass)});
}

void ProjectedPlan::forward(const attn_projected_forward_args_t& args, void* workspace) const {
  Fp32Copies all = copies(args.lengths, workspace);
  const attn_projected_forward_args_t copied = with_fp32_copies(args, all);
  forward_pass(copied, static_cast<std::byte*>(all.remaining_workspace()));
  all.round_outputs();
}

void ProjectedPlan::backward(const attn_projected_backward_args_t& args, void* workspace) const {
  Fp32Copies all = copies(args.lengths, workspace);
  const attn_projected_backward_args_t copied = with_fp32_copies(args, all);
  backward_pass(copied, static_cast<std::byte*>(all.remaining_workspace()));
  all.round_outputs();
}

Fp32Copies ProjectedPlan::copies(const std::int32_t* lengths, void* workspace) const {
  return {copied_, desc_.B, {desc_.T, lengths, nullptr}, workspace, threads_of(handle_)};
}

// A shared query is fp32 in any case.
attn_projected_forward_args_t ProjectedPlan::with_fp32_copies(attn_projected_forward_args_t args,
                                                              Fp32Copies& copies) const {
  args.x = copies.key_input(args.x, desc_.D);
  if (!desc_.shared_query) args.h = copies.input(args.h, desc_.B * desc_.Q * desc_.H);
  args.o = copies.output(args.o, desc_.B * desc_.Q * desc_.D);
  args.weights = copies.output(args.weights, desc_.B * desc_.Q * desc_.T);
  return args;
}

attn_projected_backward_args_t ProjectedPlan::with_fp32_copies(attn_projected_backward_args_t args,
                                                               Fp32Copies& copies) const {
  args.x = copies.key_input(args.x, desc_.D);
  args.weights = copies.pair_input(args.weights, desc_.Q);
  args.d_o = copies.input(args.d_o, desc_.B * desc_.Q * desc_.D);
  args.d_weights = copies.pair_input(args.d_weights, desc_.Q);
  args.d_x = copies.output(args.d_x, desc_.B * desc_.T * desc_.D);
  if (!desc_.shared_query) {
    args.h = copies.input(args.h, desc_.B * desc_.Q * desc_.H);
    args.d_h = copies.output(args.d_h, desc_.B * desc_.Q * desc_.H);
  }
  return args;
}

attn_additive_desc_t ProjectedPlan::additive_desc() const {
  return {sizeof(attn_additive_desc_t), desc_.dtype, desc_.B, desc_.Q, desc_.T, desc_.A, desc_.D};
}

std::size_t ProjectedPlan::additive_workspace(attn_pass_t pass) const {
  const attn_additive_desc_t additive = additive_desc();
  std::size_t bytes = 0;
  require_success(attn_additive_workspace_size(handle_, &additive, pass, &bytes));
  return bytes;
}

LinearMap ProjectedPlan::key_map(const std::int32_t* lengths, std::byte* workspace) const {
  return {desc_.dtype, {desc_.B, desc_.T, lengths}, desc_.A, desc_.D, workspace + layout_.scratch};
}

// A shared query is one item, and none where no item shares it.
LinearMap ProjectedPlan::query_map(std::byte* workspace) const {
  const std::int64_t distinct = desc_.shared_query ? std::min<std::int64_t>(desc_.B, 1) : desc_.B;
  return {query_dtype(desc_), {distinct, desc_.Q, nullptr}, desc_.A, desc_.H, workspace + layout_.scratch};
}

Items ProjectedPlan::query_items(std::byte* workspace) const {
  return {desc_.dtype, desc_.B, desc_.Q * desc_.A, workspace + layout_.scratch};
}

void* ProjectedPlan::distinct_queries(void* q, std::byte* workspace) const {
  return query_dtype(desc_) == desc_.dtype ? q : workspace + layout_.shared;
}

const void* ProjectedPlan::v_of_attention(const float* v, std::byte* workspace) const {
  if (is_fp32()) return v;
  layers_.convert(desc_.A, ATTN_DTYPE_FP32, v, desc_.dtype, workspace + layout_.v);
  return workspace + layout_.v;
}

void ProjectedPlan::project_queries(const attn_projected_forward_args_t& args, void* q, std::byte* workspace) const {
  void* const distinct = distinct_queries(q, workspace);
  linear_.project(query_map(workspace), args.h, args.w_q, nullptr, distinct);
  if (distinct != q && desc_.B > 0) layers_.convert(desc_.Q * desc_.A, ATTN_DTYPE_FP32, distinct, desc_.dtype, q);
  if (desc_.shared_query && desc_.B > 1) linear_.repeat_first(query_items(workspace), q);
}

// d_h and d_w_q, where wanted, from d_q [B, Q, A], which is overwritten.
void ProjectedPlan::query_gradients(const attn_projected_backward_args_t& args, void* d_q, std::byte* workspace) const {
  const LinearMap map = query_map(workspace);
  void* const distinct = distinct_queries(d_q, workspace);
  if (desc_.shared_query && desc_.B > (distinct == d_q ? 1 : 0))
    linear_.sum_items(query_items(workspace), d_q, static_cast<float*>(distinct));
  if (args.d_h != nullptr) {
    if (desc_.shared_query && desc_.B == 0) linear_.fill_zero(desc_.Q * desc_.H, static_cast<float*>(args.d_h));
    linear_.project_back(map, distinct, args.w_q, args.d_h, false);
  }
  if (args.d_w_q != nullptr) linear_.weight_gradient(map, distinct, args.h, args.d_w_q);
}

void ProjectedPlan::forward_pass(const attn_projected_forward_args_t& args, std::byte* workspace) const {
  std::byte* const projections = args.reserve == nullptr ? workspace : static_cast<std::byte*>(args.reserve);
  project_queries(args, projections + layout_.q, workspace);
  linear_.project(key_map(args.lengths, workspace), args.x, args.w_k, args.b, projections + layout_.k);

  const attn_additive_desc_t additive = additive_desc();
  attn_additive_forward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = projections + layout_.q;
  additive_args.k = projections + layout_.k;
  additive_args.v = v_of_attention(args.v, workspace);
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.o = args.o;
  additive_args.weights = args.weights;
  additive_args.lse = reinterpret_cast<float*>(projections + layout_.lse);
  require_success(attn_additive_forward(handle_, &additive, &additive_args, workspace + layout_.scratch,
                                        additive_workspace(ATTN_PASS_FORWARD)));
}

void ProjectedPlan::backward_pass(const attn_projected_backward_args_t& args, std::byte* workspace) const {
  const auto* const kept = static_cast<const std::byte*>(args.reserve);
  void *const d_q = workspace + layout_.q, *const d_k = workspace + layout_.k,
              *const d_v = is_fp32() ? static_cast<void*>(args.d_v) : workspace + layout_.d_v;

  const attn_additive_desc_t additive = additive_desc();
  attn_additive_backward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = kept + layout_.q;
  additive_args.k = kept + layout_.k;
  additive_args.v = v_of_attention(args.v, workspace);
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.lse = reinterpret_cast<const float*>(kept + layout_.lse);
  additive_args.weights = args.weights;
  additive_args.d_o = args.d_o;
  additive_args.d_weights = args.d_weights;
  if (args.d_h != nullptr || args.d_w_q != nullptr) additive_args.d_q = d_q;
  if (args.d_x != nullptr || args.d_w_k != nullptr || args.d_b != nullptr) additive_args.d_k = d_k;
  if (args.d_v != nullptr) additive_args.d_v = d_v;
  additive_args.d_x = args.d_x;
  require_success(attn_additive_backward(handle_, &additive, &additive_args, workspace + layout_.scratch,
                                         additive_workspace(ATTN_PASS_BACKWARD)));

  const LinearMap keys = key_map(args.lengths, workspace);
  if (args.d_v != nullptr && d_v != args.d_v) layers_.convert(desc_.A, desc_.dtype, d_v, ATTN_DTYPE_FP32, args.d_v);
  if (args.d_x != nullptr) linear_.project_back(keys, d_k, args.w_k, args.d_x, true);
  if (args.d_w_k != nullptr) linear_.weight_gradient(keys, d_k, args.x, args.d_w_k);
  if (args.d_b != nullptr) linear_.bias_gradient(keys, d_k, args.d_b);
  if (additive_args.d_q != nullptr) query_gradients(args, d_q, workspace);
}

}  // namespace attn::internal

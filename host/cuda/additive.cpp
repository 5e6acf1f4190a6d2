// SPDX-License-Identifier: Apache-2.0
#include "cuda/attention.h"
#include "cuda/storage.h"

namespace attn::internal::cuda {
namespace {

using kernels::AdditiveBackward;
using kernels::AdditiveBackwardPlan;
using kernels::AdditiveForward;
using kernels::AdditiveForwardPlan;

AdditiveForwardPlan forward_plan(const attn_additive_desc_t& desc) {
  return kernels::plan_additive_forward(desc.B, desc.Q, desc.T, desc.A, desc.D, desc.dtype == ATTN_DTYPE_FP32);
}

AdditiveBackwardPlan backward_plan(const attn_additive_desc_t& desc) {
  return kernels::plan_additive_backward(desc.B, desc.Q, desc.T, desc.A, desc.D);
}

kernels::Encoding encoding(const kernels::EncodingPlan& plan, void* workspace) {
  kernels::Encoding encoding{};
  encoding.columns = plan.columns;
  encoding.blocks = static_cast<int>(plan.columns / kernels::kBlockColumns);
  encoding.q = {at_offset(workspace, plan.q), plan.query_tiles, plan.tile_queries, plan.tile_queries};
  encoding.k = {at_offset(workspace, plan.k), plan.key_tiles, plan.tile_keys, plan.used_keys};
  encoding.factors = at_offset(workspace, plan.factors);
  encoding.values = at_offset<kernels::ValueSummary>(workspace, plan.values);
  encoding.range_parts = plan.range_parts;
  encoding.ranges = at_offset(workspace, plan.ranges);
  encoding.arithmetic = at_offset<kernels::Arithmetic>(workspace, plan.arithmetic);
  return encoding;
}

template <class Storage, class Args>
kernels::AdditiveEncode<Storage> encode_params(const attn_additive_desc_t& desc, const Args& args,
                                               const kernels::Encoding& encoding) {
  return {desc.B,       desc.Q,          desc.T,  desc.A, in<Storage>(args.q), in<Storage>(args.k), in<Storage>(args.v),
          args.lengths, args.cu_seqlens, encoding};
}

template <class Storage>
void forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
             cudaStream_t stream) {
  const AdditiveForwardPlan plan = forward_plan(desc);
  AdditiveForward<Storage> params{};
  params.common = attention<Storage>(plan.common, args, desc.B, desc.Q, desc.T, desc.D, workspace);
  params.common.lse = args.lse;
  params.A = desc.A;
  params.q = in<Storage>(args.q);
  params.k = in<Storage>(args.k);
  params.v = in<Storage>(args.v);
  if (desc.Q == 1) {
    check(kernels::launch_additive_single_forward(params, stream), "additive_single_forward");
  } else {
    params.encoding = encoding(plan.encoding, workspace);
    check(kernels::launch_additive_encode(encode_params<Storage>(desc, args, params.encoding), stream),
          "additive_encode");
    check(kernels::launch_additive_multi_forward(params, stream), "additive_multi_forward");
  }
  if (!plan.common.whole) check(kernels::launch_merge(params.common, stream), "merge");
}

template <class Storage>
AdditiveBackward<Storage> backward_params(const AdditiveBackwardPlan& plan, const attn_additive_desc_t& desc,
                                          const attn_additive_backward_args_t& args, void* workspace) {
  AdditiveBackward<Storage> params{};
  params.B = desc.B;
  params.Q = desc.Q;
  params.T = desc.T;
  params.A = desc.A;
  params.D = desc.D;
  params.q = in<Storage>(args.q);
  params.k = in<Storage>(args.k);
  params.v = in<Storage>(args.v);
  params.x = in<Storage>(args.x);
  params.lengths = args.lengths;
  params.cu_seqlens = args.cu_seqlens;
  params.lse = args.lse;
  params.weights = in<Storage>(args.weights);
  params.d_o = in<Storage>(args.d_o);
  params.d_weights = in<Storage>(args.d_weights);
  params.d_k = out<Storage>(args.d_k);
  params.d_x = out<Storage>(args.d_x);
  params.wants_scores = args.d_q != nullptr || args.d_k != nullptr || args.d_v != nullptr;
  params.split = plan.split;
  params.gradient_split = plan.gradient_split;
  const bool given = args.weights != nullptr && desc.dtype == ATTN_DTYPE_FP32;
  params.kept_alpha = given ? nullptr : at_offset(workspace, plan.weights);
  params.alpha = given ? in<float>(args.weights) : params.kept_alpha;
  params.d_e = at_offset(workspace, plan.d_e);
  params.means = at_offset(workspace, plan.means);
  params.d_q_partials = args.d_q == nullptr ? nullptr : at_offset(workspace, plan.d_q_partials);
  params.d_v_partials = args.d_v == nullptr ? nullptr : at_offset(workspace, plan.d_v_partials);
  return params;
}

// Several queries: stores the weights in `alpha`.
template <class Storage>
void recompute_weights(const AdditiveBackwardPlan& plan, const attn_additive_desc_t& desc,
                       const attn_additive_backward_args_t& args, float* alpha, void* workspace, cudaStream_t stream) {
  const kernels::Encoding of = encoding(plan.encoding, workspace);
  check(kernels::launch_additive_encode(encode_params<Storage>(desc, args, of), stream), "additive_encode");
  check(kernels::launch_additive_multi_weights(
            {desc.B, desc.Q, desc.T, args.lengths, args.cu_seqlens, plan.forward_split, of, args.lse, alpha}, stream),
        "additive_multi_weights");
}

template <class Storage>
void backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
              cudaStream_t stream) {
  const AdditiveBackwardPlan plan = backward_plan(desc);
  const auto params = backward_params<Storage>(plan, desc, args, workspace);
  const bool needs_scores = params.wants_scores || (args.d_x != nullptr && params.kept_alpha != nullptr);
  if (desc.Q == 1) {
    if (needs_scores) check(kernels::launch_additive_single_scores(params, stream), "additive_single_scores");
    check(kernels::launch_additive_single_gradients(params, stream), "additive_single_gradients");
  } else {
    if (needs_scores && args.weights == nullptr)
      recompute_weights<Storage>(plan, desc, args, params.kept_alpha, workspace, stream);
    if (needs_scores) check(kernels::launch_additive_multi_scores(params, stream), "additive_multi_scores");
    if (args.d_x != nullptr) check(kernels::launch_additive_multi_values(params, stream), "additive_multi_values");
    if (params.wants_scores)
      check(kernels::launch_additive_multi_gradients(params, stream), "additive_multi_gradients");
  }

  const kernels::Index splits = plan.gradient_split.count, rows = desc.B * desc.Q;
  if (args.d_q != nullptr)
    check(kernels::launch_row_sums<float, Storage>(
              {params.d_q_partials, rows * splits, desc.A, rows, splits, out<Storage>(args.d_q)}, stream),
          "row_sums");
  if (args.d_v != nullptr)
    sum_rows(params.d_v_partials, desc.B * splits, desc.A, at_offset(workspace, plan.sums), out<Storage>(args.d_v),
             stream);
}

}  // namespace

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) {
  return static_cast<std::size_t>(pass == ATTN_PASS_FORWARD ? forward_plan(desc).common.bytes
                                                            : backward_plan(desc).bytes);
}

void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                      cudaStream_t stream) {
  with_storage(desc.dtype, [&](auto storage) { forward<decltype(storage)>(desc, args, workspace, stream); });
}

void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       cudaStream_t stream) {
  with_storage(desc.dtype, [&](auto storage) { backward<decltype(storage)>(desc, args, workspace, stream); });
}

}  // namespace attn::internal::cuda

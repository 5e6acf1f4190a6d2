// SPDX-License-Identifier: Apache-2.0
#include "cuda/attention.h"
#include "cuda/storage.h"

namespace attn::internal::cuda {
namespace {

using kernels::ForwardPlan;
using kernels::PoolingBackward;
using kernels::PoolingBackwardPlan;
using kernels::PoolingForward;

ForwardPlan forward_plan(const attn_pooling_desc_t& desc) {
  return kernels::plan_forward(kernels::split_single(desc.T, desc.D), desc.B, 1, desc.T, desc.D,
                               desc.dtype == ATTN_DTYPE_FP32);
}

PoolingBackwardPlan backward_plan(const attn_pooling_desc_t& desc) {
  return kernels::plan_pooling_backward(desc.B, desc.T, desc.D);
}

template <class Storage>
void forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
             cudaStream_t stream) {
  const ForwardPlan plan = forward_plan(desc);
  PoolingForward<Storage> params{};
  params.common = attention<Storage>(plan, args, desc.B, 1, desc.T, desc.D, workspace);
  params.w = in<Storage>(args.w);
  params.b = in<Storage>(args.b);
  check(kernels::launch_pooling_forward(params, stream), "pooling_forward");
  if (!plan.whole) check(kernels::launch_merge(params.common, stream), "merge");
}

template <class Storage>
void backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
              cudaStream_t stream) {
  const PoolingBackwardPlan plan = backward_plan(desc);
  PoolingBackward<Storage> params{};
  params.B = desc.B;
  params.T = desc.T;
  params.D = desc.D;
  params.x = in<Storage>(args.x);
  params.w = in<Storage>(args.w);
  params.b = in<Storage>(args.b);
  params.lengths = args.lengths;
  params.cu_seqlens = args.cu_seqlens;
  params.d_o = in<Storage>(args.d_o);
  params.d_weights = in<Storage>(args.d_weights);
  params.d_x = out<Storage>(args.d_x);
  params.split = plan.split;
  params.e = at_offset(workspace, plan.e);
  params.d_z = at_offset(workspace, plan.d_z);
  params.sums = at_offset(workspace, plan.sums);
  params.vectors = args.d_w == nullptr ? nullptr : at_offset(workspace, plan.vectors);
  params.d_w = at_offset(workspace, plan.d_w);
  check(kernels::launch_pooling_backward(params, stream), "pooling_backward");

  float* const partials = at_offset(workspace, plan.partials);
  if (args.d_w != nullptr)
    sum_rows(params.d_w, desc.B * plan.split.count, desc.D, partials, out<Storage>(args.d_w), stream);
  if (args.d_b != nullptr) sum_rows(params.d_z, desc.B, desc.T, partials, out<Storage>(args.d_b), stream);
}

}  // namespace

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) {
  return static_cast<std::size_t>(pass == ATTN_PASS_FORWARD ? forward_plan(desc).bytes : backward_plan(desc).bytes);
}

void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     cudaStream_t stream) {
  with_storage(desc.dtype, [&](auto storage) { forward<decltype(storage)>(desc, args, workspace, stream); });
}

void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      cudaStream_t stream) {
  with_storage(desc.dtype, [&](auto storage) { backward<decltype(storage)>(desc, args, workspace, stream); });
}

}  // namespace attn::internal::cuda

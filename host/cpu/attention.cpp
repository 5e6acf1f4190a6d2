// SPDX-License-Identifier: Apache-2.0
//
// Calls in any storage type, as calls in fp32.
#include "cpu/attention.h"

#include "cpu/twins.h"

namespace attn::cpu {
namespace {

// The same call on twins. Runs through all tensors in one order, whether to count or to convert.

attn_additive_forward_args_t on_twins(const attn_additive_desc_t& d, attn_additive_forward_args_t args, Twins& twins) {
  args.q = twins.in(args.q, d.B * d.Q * d.A);
  args.k = twins.in_keys(args.k, d.A);
  args.v = twins.in(args.v, d.A);
  args.x = twins.in_keys(args.x, d.D);
  args.o = twins.out(args.o, d.B * d.Q * d.D);
  args.weights = twins.out(args.weights, d.B * d.Q * d.T);
  return args;
}

attn_additive_backward_args_t on_twins(const attn_additive_desc_t& d, attn_additive_backward_args_t args,
                                       Twins& twins) {
  args.q = twins.in(args.q, d.B * d.Q * d.A);
  args.k = twins.in_keys(args.k, d.A);
  args.v = twins.in(args.v, d.A);
  args.x = twins.in_keys(args.x, d.D);
  args.weights = twins.in_pairs(args.weights, d.Q);
  args.d_o = twins.in(args.d_o, d.B * d.Q * d.D);
  args.d_weights = twins.in_pairs(args.d_weights, d.Q);
  args.d_q = twins.out(args.d_q, d.B * d.Q * d.A);
  args.d_k = twins.out_keys(args.d_k, d.A);
  args.d_v = twins.out(args.d_v, d.A);
  args.d_x = twins.out_keys(args.d_x, d.D);
  return args;
}

attn_pooling_forward_args_t on_twins(const attn_pooling_desc_t& d, attn_pooling_forward_args_t args, Twins& twins) {
  args.x = twins.in_keys(args.x, d.D);
  args.w = twins.in(args.w, d.D);
  args.b = twins.in(args.b, d.T);
  args.o = twins.out(args.o, d.B * d.D);
  args.weights = twins.out(args.weights, d.B * d.T);
  return args;
}

attn_pooling_backward_args_t on_twins(const attn_pooling_desc_t& d, attn_pooling_backward_args_t args, Twins& twins) {
  args.x = twins.in_keys(args.x, d.D);
  args.w = twins.in(args.w, d.D);
  args.b = twins.in(args.b, d.T);
  args.d_o = twins.in(args.d_o, d.B * d.D);
  args.d_weights = twins.in_pairs(args.d_weights, 1);
  args.d_x = twins.out_keys(args.d_x, d.D);
  args.d_w = twins.out(args.d_w, d.D);
  args.d_b = twins.out(args.d_b, d.T);
  return args;
}

template <class Args, class Desc>
std::size_t bytes_of_twins(const Desc& desc) {
  Twins twins(desc.dtype, desc.B, {desc.T, nullptr, nullptr}, nullptr, 1);
  on_twins(desc, Args{}, twins);
  return twins.bytes();
}

// Runs `pass`, which computes in fp32.
template <class Desc, class Args, class Pass>
void run(Desc desc, const Args& args, void* workspace, int threads, const Pass& pass) {
  Twins twins(desc.dtype, desc.B, {desc.T, args.lengths, args.cu_seqlens}, workspace, threads);
  const Args converted = on_twins(desc, args, twins);
  desc.dtype = ATTN_DTYPE_FP32;
  pass(desc, converted, twins.rest(), threads);
  twins.round();
}

}  // namespace

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) {
  return fp32::additive_workspace(desc, pass) + (pass == ATTN_PASS_FORWARD
                                                     ? bytes_of_twins<attn_additive_forward_args_t>(desc)
                                                     : bytes_of_twins<attn_additive_backward_args_t>(desc));
}

void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args, void* workspace,
                      int threads) {
  run(desc, args, workspace, threads, fp32::additive_forward);
}

void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args, void* workspace,
                       int threads) {
  run(desc, args, workspace, threads, fp32::additive_backward);
}

std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) {
  return fp32::pooling_workspace(desc, pass) + (pass == ATTN_PASS_FORWARD
                                                    ? bytes_of_twins<attn_pooling_forward_args_t>(desc)
                                                    : bytes_of_twins<attn_pooling_backward_args_t>(desc));
}

void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     int threads) {
  run(desc, args, workspace, threads, fp32::pooling_forward);
}

void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      int threads) {
  run(desc, args, workspace, threads, fp32::pooling_backward);
}

}  // namespace attn::cpu

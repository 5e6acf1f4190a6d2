// SPDX-License-Identifier: Apache-2.0
//
// Calls in any storage type, run on fp32 copies of the tensors.
#include "cpu/attention.h"

#include "base/fp32_copies.h"

namespace attn::internal::cpu {
namespace {

// The same call on fp32 copies. The order of the tensors is the same for computing the size and for converting.

attn_additive_forward_args_t with_fp32_copies(const attn_additive_desc_t& d, attn_additive_forward_args_t args,
                                              Fp32Copies& copies) {
  args.q = copies.input(args.q, d.B * d.Q * d.A);
  args.k = copies.key_input(args.k, d.A);
  args.v = copies.input(args.v, d.A);
  args.x = copies.key_input(args.x, d.D);
  args.o = copies.output(args.o, d.B * d.Q * d.D);
  args.weights = copies.output(args.weights, d.B * d.Q * d.T);
  return args;
}

attn_additive_backward_args_t with_fp32_copies(const attn_additive_desc_t& d, attn_additive_backward_args_t args,
                                               Fp32Copies& copies) {
  args.q = copies.input(args.q, d.B * d.Q * d.A);
  args.k = copies.key_input(args.k, d.A);
  args.v = copies.input(args.v, d.A);
  args.x = copies.key_input(args.x, d.D);
  args.weights = copies.pair_input(args.weights, d.Q);
  args.d_o = copies.input(args.d_o, d.B * d.Q * d.D);
  args.d_weights = copies.pair_input(args.d_weights, d.Q);
  args.d_q = copies.output(args.d_q, d.B * d.Q * d.A);
  args.d_k = copies.key_output(args.d_k, d.A);
  args.d_v = copies.output(args.d_v, d.A);
  args.d_x = copies.key_output(args.d_x, d.D);
  return args;
}

attn_pooling_forward_args_t with_fp32_copies(const attn_pooling_desc_t& d, attn_pooling_forward_args_t args,
                                             Fp32Copies& copies) {
  args.x = copies.key_input(args.x, d.D);
  args.w = copies.input(args.w, d.D);
  args.b = copies.input(args.b, d.T);
  args.o = copies.output(args.o, d.B * d.D);
  args.weights = copies.output(args.weights, d.B * d.T);
  return args;
}

attn_pooling_backward_args_t with_fp32_copies(const attn_pooling_desc_t& d, attn_pooling_backward_args_t args,
                                              Fp32Copies& copies) {
  args.x = copies.key_input(args.x, d.D);
  args.w = copies.input(args.w, d.D);
  args.b = copies.input(args.b, d.T);
  args.d_o = copies.input(args.d_o, d.B * d.D);
  args.d_weights = copies.pair_input(args.d_weights, 1);
  args.d_x = copies.key_output(args.d_x, d.D);
  args.d_w = copies.output(args.d_w, d.D);
  args.d_b = copies.output(args.d_b, d.T);
  return args;
}

template <class Args, class Desc>
std::size_t bytes_of_copies(const Desc& desc) {
  Fp32Copies copies(desc.dtype, desc.B, {desc.T, nullptr, nullptr}, nullptr, 1);
  with_fp32_copies(desc, Args{}, copies);
  return copies.bytes();
}

// Runs `pass`, which computes in fp32.
template <class Desc, class Args, class Pass>
void run(Desc desc, const Args& args, void* workspace, int threads, const Pass& pass) {
  Fp32Copies copies(desc.dtype, desc.B, {desc.T, args.lengths, args.cu_seqlens}, workspace, threads);
  const Args converted = with_fp32_copies(desc, args, copies);
  desc.dtype = ATTN_DTYPE_FP32;
  pass(desc, converted, copies.remaining_workspace(), threads);
  copies.round_outputs();
}

}  // namespace

std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) {
  return fp32::additive_workspace(desc, pass) + (pass == ATTN_PASS_FORWARD
                                                     ? bytes_of_copies<attn_additive_forward_args_t>(desc)
                                                     : bytes_of_copies<attn_additive_backward_args_t>(desc));
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
                                                    ? bytes_of_copies<attn_pooling_forward_args_t>(desc)
                                                    : bytes_of_copies<attn_pooling_backward_args_t>(desc));
}

void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args, void* workspace,
                     int threads) {
  run(desc, args, workspace, threads, fp32::pooling_forward);
}

void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args, void* workspace,
                      int threads) {
  run(desc, args, workspace, threads, fp32::pooling_backward);
}

}  // namespace attn::internal::cpu

// SPDX-License-Identifier: Apache-2.0
//
// The recurrent attention encoder, composed of the LSTM and the attentions of any backend. Arguments are valid;
// workspaces and reserve spaces are aligned to 64 bytes.
#pragma once

#include <memory>
#include <vector>

#include "base/layout.h"
#include "encoder/base/backend.h"
#include "encoder/plan/parameter_map.h"

namespace attn::internal {

class EncoderPlan {
 public:
  EncoderPlan(attn_handle_t handle, EncoderBackend& backend, const attn_recurrent_desc_t& desc);

  const attn_recurrent_desc_t& desc() const { return desc_; }
  const ParameterMap& parameters() const { return parameters_; }
  std::size_t reserve_bytes() const { return desc_.training ? static_cast<std::size_t>(kept_.bytes()) : 0; }
  std::size_t workspace_bytes(attn_pass_t pass) const;

  void forward(const attn_recurrent_forward_args_t& args, void* workspace);
  void backward(const attn_recurrent_backward_args_t& args, void* workspace);

 private:
  using Index = std::int64_t;
  struct Destroy {
    void operator()(attn_lstm_t plan) const { attn_lstm_destroy(plan); }
  };
  struct Layer {
    std::unique_ptr<attn_lstm, Destroy> lstm;
    Index y, dropped, reserve;             // in kept_: [B, T, D], the same after dropout, the reserve of the LSTM
    std::int64_t kernel, recurrent, bias;  // in the parameter block
  };
  struct Run;

  bool pooling() const { return desc_.attention == ATTN_ATTENTION_POOLING; }
  bool rounds() const { return desc_.dtype != ATTN_DTYPE_FP32; }
  bool drops(std::size_t layer) const;
  std::int64_t D() const { return desc_.directions * desc_.H; }
  attn_pooling_desc_t pooling_desc() const;
  attn_projected_desc_t projected_desc() const;
  std::size_t attention_workspace(attn_pass_t pass) const;
  std::size_t step_workspace(attn_pass_t pass) const;
  Index element() const;  // bytes of an activation
  Index add_gradient(Layout& layout) const;

  template <class Args>
  Args lstm_args(const Run& run, std::size_t layer) const;
  const void* input_of(const Run& run, std::size_t layer) const;
  template <class Args>
  Args pooling_args(const Run& run) const;
  template <class Args>
  Args projected_args(const Run& run) const;
  void pooling_forward(const Run& run, const attn_recurrent_forward_args_t& args) const;
  void attention_forward(const Run& run, const attn_recurrent_forward_args_t& args) const;
  void attention_backward(const Run& run, const attn_recurrent_backward_args_t& args, void* d_y) const;
  void pooling_backward(const Run& run, const attn_recurrent_backward_args_t& args, void* d_y) const;

  attn_handle_t handle_;
  EncoderBackend& backend_;
  attn_recurrent_desc_t desc_;
  ParameterMap parameters_;
  std::vector<Layer> layers_;
  // What the forward pass keeps for the backward pass, in the reserve space; without training, in the workspace.
  Layout kept_;
  std::size_t step_bytes_[2];  // step_workspace() of each pass
  Index lengths_, weights_,
      attention_reserve_;  // in kept_: [B] for the attention, [B, Q, T], the reserve of the attention
  // The parameters of pooling and their gradients in the type of 16-bit activations; [D], [T].
  Index rounded_w_, rounded_b_, rounded_d_w_, rounded_d_b_;
};

}  // namespace attn::internal

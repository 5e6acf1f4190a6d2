// SPDX-License-Identifier: Apache-2.0
//
// The attention of the model: pooling, or the article's formula with one learned query for all reviews.
#include "classifier/train/model.h"

namespace attn {

attn_pooling_desc_t Model::pooling_desc() const {
  return {sizeof(attn_pooling_desc_t), ATTN_DTYPE_FP32, B_, T_, config_.D()};
}

attn_projected_desc_t Model::projected_desc() const {
  return {sizeof(attn_projected_desc_t), ATTN_DTYPE_FP32, B_, 1, T_, config_.A, config_.D(), config_.query, 1};
}

void Model::attention_forward(bool training) {
  std::size_t bytes = 0;
  if (config_.attention == Attention::kPooling) {
    const attn_pooling_desc_t desc = pooling_desc();
    check(attn_pooling_workspace_size(handle_->get(), &desc, ATTN_PASS_FORWARD, &bytes));
    attn_pooling_forward_args_t args{};
    args.struct_size = sizeof args;
    args.x = y_.data();
    args.w = parameters_["attention.w"];
    args.b = parameters_["attention.b"];
    args.lengths = lengths();
    args.o = o_.data();
    args.weights = weights_.data();
    check(attn_pooling_forward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
    return;
  }
  const attn_projected_desc_t desc = projected_desc();
  std::size_t reserve_bytes = 0;
  check(attn_projected_reserve_size(handle_->get(), &desc, &reserve_bytes));
  check(attn_projected_workspace_size(handle_->get(), &desc, ATTN_PASS_FORWARD, &bytes));
  attn_projected_forward_args_t args{};
  args.struct_size = sizeof args;
  args.x = y_.data();
  args.h = parameters_["attention.h"];
  args.w_q = parameters_["attention.w_q"];
  args.w_k = parameters_["attention.w_k"];
  args.v = parameters_["attention.v"];
  args.lengths = lengths();
  args.o = o_.data();
  args.weights = weights_.data();
  args.reserve = training ? grow(attention_reserve_, reserve_bytes).data() : nullptr;
  check(attn_projected_forward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
}

void Model::attention_backward(Parameters& gradient) {
  std::size_t bytes = 0;
  if (config_.attention == Attention::kPooling) {
    const attn_pooling_desc_t desc = pooling_desc();
    check(attn_pooling_workspace_size(handle_->get(), &desc, ATTN_PASS_BACKWARD, &bytes));
    attn_pooling_backward_args_t args{};
    args.struct_size = sizeof args;
    args.x = y_.data();
    args.w = parameters_["attention.w"];
    args.b = parameters_["attention.b"];
    args.lengths = lengths();
    args.d_o = d_o_.data();
    args.d_x = d_y_.data();
    args.d_w = gradient["attention.w"];
    args.d_b = gradient["attention.b"];
    check(attn_pooling_backward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
    clear_unused_bias(gradient);
    return;
  }
  const attn_projected_desc_t desc = projected_desc();
  check(attn_projected_workspace_size(handle_->get(), &desc, ATTN_PASS_BACKWARD, &bytes));
  attn_projected_backward_args_t args{};
  args.struct_size = sizeof args;
  args.x = y_.data();
  args.h = parameters_["attention.h"];
  args.w_q = parameters_["attention.w_q"];
  args.w_k = parameters_["attention.w_k"];
  args.v = parameters_["attention.v"];
  args.lengths = lengths();
  args.reserve = attention_reserve_.data();
  args.weights = weights_.data();
  args.d_o = d_o_.data();
  args.d_x = d_y_.data();
  args.d_h = gradient["attention.h"];
  args.d_w_q = gradient["attention.w_q"];
  args.d_w_k = gradient["attention.w_k"];
  args.d_v = gradient["attention.v"];
  check(attn_projected_backward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
}

// A masked batch may be shorter than the model's T; the bias behind it took no part.
void Model::clear_unused_bias(Parameters& gradient) const {
  const std::int64_t unused = config_.T - T_;
  if (unused > 0)
    check(
        attn_fill_zero(handle_->get(), gradient["attention.b"] + T_, static_cast<std::size_t>(unused) * sizeof(float)));
}

}  // namespace attn

// SPDX-License-Identifier: Apache-2.0
//
// The attention of the model: pooling, or the article's formula with one learned query for all reviews.
#include "classifier/train/model.h"

namespace attn {

attn_pooling_desc_t Model::pooling_desc() const { return {sizeof(attn_pooling_desc_t), dtype(), B_, T_, config_.D()}; }

attn_projected_desc_t Model::projected_desc() const {
  return {sizeof(attn_projected_desc_t), dtype(), B_, 1, T_, config_.A, config_.D(), config_.query, 1};
}

// What both passes take; the forward pass has rounded the parameters.
template <class Args>
Args Model::pooling_args() const {
  Args args{};
  args.struct_size = sizeof args;
  args.x = y_.data();
  args.w = place_of(parameters_["attention.w"], narrow_w_);
  args.b = place_of(parameters_["attention.b"], narrow_b_);
  args.lengths = lengths();
  return args;
}

void Model::pooling_forward() {
  std::size_t bytes = 0;
  const attn_pooling_desc_t desc = pooling_desc();
  check(attn_pooling_workspace_size(handle_->get(), &desc, ATTN_PASS_FORWARD, &bytes));
  rounded(parameters_["attention.w"], config_.D(), narrow_w_);
  rounded(parameters_["attention.b"], T_, narrow_b_);
  auto args = pooling_args<attn_pooling_forward_args_t>();
  args.o = place_of(o_.data(), narrow_o_);
  args.weights = weights_.data();
  check(attn_pooling_forward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
  widen(narrow_o_, B_ * config_.D(), o_.data());
}

void Model::pooling_backward(Parameters& gradient) {
  std::size_t bytes = 0;
  const attn_pooling_desc_t desc = pooling_desc();
  check(attn_pooling_workspace_size(handle_->get(), &desc, ATTN_PASS_BACKWARD, &bytes));
  auto args = pooling_args<attn_pooling_backward_args_t>();
  args.d_o = rounded(d_o_.data(), B_ * config_.D(), narrow_o_);
  args.d_x = d_y_.data();
  args.d_w = place_of(gradient["attention.w"], narrow_d_w_);
  args.d_b = place_of(gradient["attention.b"], narrow_d_b_);
  check(attn_pooling_backward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
  widen(narrow_d_w_, config_.D(), gradient["attention.w"]);
  widen(narrow_d_b_, T_, gradient["attention.b"]);
  clear_unused_bias(gradient);
}

void Model::attention_forward(bool training) {
  if (config_.attention == Attention::kPooling) return pooling_forward();
  std::size_t bytes = 0;
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
  args.o = place_of(o_.data(), narrow_o_);
  args.weights = weights_.data();
  args.reserve = training ? grow(attention_reserve_, reserve_bytes).data() : nullptr;
  check(attn_projected_forward(handle_->get(), &desc, &args, grow(workspace_, bytes).data(), bytes));
  widen(narrow_o_, B_ * config_.D(), o_.data());
}

void Model::attention_backward(Parameters& gradient) {
  if (config_.attention == Attention::kPooling) return pooling_backward(gradient);
  std::size_t bytes = 0;
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
  args.d_o = rounded(d_o_.data(), B_ * config_.D(), narrow_o_);
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

// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/model.h"

namespace attn {
namespace {

std::size_t floats(std::int64_t count) { return static_cast<std::size_t>(count); }

}  // namespace

Model::Model(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch, Storage storage)
    : handle_(&handle), config_(config), storage_(storage), parameters_(handle, config) {
  const std::int64_t B = largest_batch;
  const std::int64_t positions = B * config.T;
  rows_ = stored(positions * config.E);
  y_ = stored(positions * config.D());
  weights_ = stored(positions);
  if (narrow()) {
    narrow_o_ = stored(B * config.D());
    for (Buffer<std::byte>* w : {&narrow_w_, &narrow_d_w_}) *w = stored(config.D());
    for (Buffer<std::byte>* b : {&narrow_b_, &narrow_d_b_}) *b = stored(config.T);
  }
  o_ = Buffer<float>(handle, floats(B * config.D()));
  for (Buffer<float>* row : {&z_, &d_z_, &losses_}) *row = Buffer<float>(handle, floats(B));
}

// What both passes of the LSTM take.
template <class Args>
Args Model::lstm_args() const {
  Args args{};
  args.x = rows_.data();
  args.kernel = parameters_["lstm.kernel"];
  args.recurrent = parameters_["lstm.recurrent"];
  args.bias = parameters_["lstm.bias"];
  args.lengths = host_lengths();
  args.y = y_.data();
  return args;
}

BatchFeed Model::make_feed() const { return {*handle_, config_, static_cast<std::int64_t>(z_.size())}; }

std::vector<float> Model::logits() const { return z_.download(floats(B_)); }
std::vector<float> Model::losses() const { return losses_.download(floats(B_)); }

std::vector<float> Model::weights() const {
  const Buffer<float> widened(*handle_, floats(B_ * T_));
  check(attn_convert(handle_->get(), B_ * T_, dtype(), weights_.data(), ATTN_DTYPE_FP32, widened.data()));
  return widened.download();
}

Buffer<std::byte> Model::stored(std::int64_t count) const {
  return Buffer<std::byte>(*handle_, floats(count) * (narrow() ? 2 : sizeof(float)));
}

const void* Model::rounded(const float* values, std::int64_t count, const Buffer<std::byte>& place) const {
  if (!narrow()) return values;
  check(attn_convert(handle_->get(), count, ATTN_DTYPE_FP32, values, dtype(), place.data()));
  return place.data();
}

void Model::widen(const Buffer<std::byte>& place, std::int64_t count, float* values) const {
  if (narrow()) check(attn_convert(handle_->get(), count, dtype(), place.data(), ATTN_DTYPE_FP32, values));
}

void Model::forward(const FedBatch& batch, bool training, float loss_scale) {
  const auto [E, D] = std::pair(config_.E, config_.D());
  batch_ = batch;
  B_ = batch.host.B;
  T_ = batch.host.T;
  check(attn_embedding_forward(handle_->get(), dtype(), B_ * T_, config_.V, E, batch_.device.ids,
                               parameters_["embedding"], rows_.data()));

  LstmPlan& lstm = lstm_for(training);
  if (training) grow(lstm_reserve_, lstm.reserve_bytes());
  auto args = lstm_args<attn_lstm_forward_args_t>();
  args.reserve = training ? lstm_reserve_.data() : nullptr;
  lstm.forward(args, grow(workspace_, lstm.workspace_bytes()));

  attention_forward(training);
  check(
      attn_dense_forward(handle_->get(), B_, D, o_.data(), parameters_["dense.w"], parameters_["dense.b"], z_.data()));
  check(attn_sigmoid_cross_entropy(handle_->get(), B_, z_.data(), batch_.device.labels, loss_scale, losses_.data(),
                                   training ? d_z_.data() : nullptr));
}

void Model::backward(Parameters& gradient) {
  const auto [E, D] = std::pair(config_.E, config_.D());
  if (d_rows_.size() == 0) {  // an application that only predicts does without these
    d_rows_ = Buffer<std::byte>(*handle_, rows_.size());
    d_y_ = Buffer<std::byte>(*handle_, y_.size());
    d_o_ = Buffer<float>(*handle_, o_.size());
  }
  check(attn_dense_backward(handle_->get(), B_, D, o_.data(), parameters_["dense.w"], d_z_.data(), d_o_.data(),
                            gradient["dense.w"], gradient["dense.b"]));
  attention_backward(gradient);

  LstmPlan& lstm = lstm_for(true);
  auto args = lstm_args<attn_lstm_backward_args_t>();
  args.reserve = lstm_reserve_.data();
  args.d_y = d_y_.data();
  args.d_x = d_rows_.data();
  args.d_kernel = gradient["lstm.kernel"];
  args.d_recurrent = gradient["lstm.recurrent"];
  args.d_bias = gradient["lstm.bias"];
  lstm.backward(args, grow(workspace_, lstm.workspace_bytes()));

  std::size_t bytes = 0;
  check(attn_embedding_workspace_size(handle_->get(), B_ * T_, config_.V, E, &bytes));
  grow(workspace_, bytes);
  check(attn_embedding_backward(handle_->get(), dtype(), B_ * T_, config_.V, E, batch_.device.ids, d_rows_.data(),
                                gradient["embedding"], workspace_.data(), workspace_.size()));
}

LstmPlan& Model::lstm_for(bool training) {
  const auto key = std::tuple(B_, T_, training);
  const auto found = lstms_.find(key);
  if (found != lstms_.end()) return found->second;
  return lstms_
      .emplace(key,
               LstmPlan(*handle_, {B_, T_, config_.E, config_.H}, training ? Training::yes : Training::no, dtype()))
      .first->second;
}

const Buffer<std::byte>& Model::grow(Buffer<std::byte>& buffer, std::size_t bytes) {
  if (bytes > buffer.size()) {
    buffer = Buffer<std::byte>();  // the old memory goes first, so that both never stand side by side
    buffer = Buffer<std::byte>(*handle_, bytes);
  }
  return buffer;
}

}  // namespace attn

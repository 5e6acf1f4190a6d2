// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/model.h"

namespace attn::classifier {

Model::Model(const Handle& handle, const ModelConfig& config, std::int64_t largest_batch, Storage storage)
    : handle_(&handle), config_(config), storage_(storage), parameters_(handle, config) {
  const std::int64_t B = largest_batch, T = config.T;
  x_ = activations(B * T * config.E);
  weights_ = activations(B * T);
  o_ = activations(B * config.D());
  features_ = floats(B * config.D());
  for (Buffer<float>* row : {&z_, &d_z_, &losses_}) *row = floats(B);
}

Buffer<std::byte> Model::activations(std::int64_t count) const {
  const std::size_t element = storage_ == Storage::kFp32 ? sizeof(float) : sizeof(std::uint16_t);
  return {*handle_, static_cast<std::size_t>(count) * element};
}

Buffer<float> Model::floats(std::int64_t count) const { return {*handle_, static_cast<std::size_t>(count)}; }

BatchFeed Model::make_feed() const { return {*handle_, config_, static_cast<std::int64_t>(z_.size())}; }

std::vector<float> Model::logits() const { return z_.download(static_cast<std::size_t>(batch_.host.B)); }
std::vector<float> Model::losses() const { return losses_.download(static_cast<std::size_t>(batch_.host.B)); }

std::vector<float> Model::weights() const {
  const std::int64_t count = batch_.host.B * batch_.host.T;
  const Buffer<float> in_fp32 = floats(count);
  check(attn_convert(handle_->get(), count, dtype(), weights_.data(), ATTN_DTYPE_FP32, in_fp32.data()));
  return in_fp32.download();
}

void Model::forward(const FedBatch& batch, bool training, float loss_scale) {
  batch_ = batch;
  const std::int64_t B = batch.host.B, T = batch.host.T, D = config_.D();
  check(attn_embedding_forward(handle_->get(), dtype(), B * T, config_.V, config_.E, batch_.device.ids,
                               parameters_["embedding"], x_.data()));

  RecurrentPlan& encoder = plan_for(training);
  void* const reserve = training ? grown(reserve_, encoder.reserve_bytes()).data() : nullptr;
  encoder.forward({0, x_.data(), parameters_.encoder(), lengths(), 0, o_.data(), weights_.data(), reserve},
                  grown(workspace_, encoder.workspace_bytes()));

  check(attn_convert(handle_->get(), B * D, dtype(), o_.data(), ATTN_DTYPE_FP32, features_.data()));
  check(attn_dense_forward(handle_->get(), B, D, features_.data(), parameters_["dense.w"], parameters_["dense.b"],
                           z_.data()));
  check(attn_sigmoid_cross_entropy(handle_->get(), B, z_.data(), batch_.device.labels, loss_scale, losses_.data(),
                                   training ? d_z_.data() : nullptr));
}

void Model::backward(Parameters& gradient) {
  const std::int64_t B = batch_.host.B, T = batch_.host.T, D = config_.D();
  if (d_x_.size() == 0) {  // a model that only predicts never allocates these
    d_x_ = Buffer<std::byte>(*handle_, x_.size());
    d_o_ = Buffer<std::byte>(*handle_, o_.size());
    d_features_ = Buffer<float>(*handle_, features_.size());
  }
  check(attn_dense_backward(handle_->get(), B, D, features_.data(), parameters_["dense.w"], d_z_.data(),
                            d_features_.data(), gradient["dense.w"], gradient["dense.b"]));
  check(attn_convert(handle_->get(), B * D, ATTN_DTYPE_FP32, d_features_.data(), dtype(), d_o_.data()));

  RecurrentPlan& encoder = plan_for(true);
  encoder.backward({0, x_.data(), parameters_.encoder(), lengths(), 0, reserve_.data(), d_o_.data(), nullptr,
                    d_x_.data(), gradient.encoder()},
                   grown(workspace_, encoder.workspace_bytes()));

  std::size_t bytes = 0;
  check(attn_embedding_workspace_size(handle_->get(), B * T, config_.V, config_.E, &bytes));
  check(attn_embedding_backward(handle_->get(), dtype(), B * T, config_.V, config_.E, batch_.device.ids, d_x_.data(),
                                gradient["embedding"], grown(workspace_, bytes).data(), workspace_.size()));
}

RecurrentPlan& Model::plan_for(bool training) {
  const std::tuple shape(batch_.host.B, batch_.host.T, training);
  const auto found = plans_.find(shape);
  if (found != plans_.end()) return found->second;
  attn_recurrent_desc_t desc = config_.encoder();
  desc.dtype = dtype();
  std::tie(desc.B, desc.T, desc.training) = shape;
  return plans_.emplace(shape, RecurrentPlan(*handle_, desc)).first->second;
}

// Frees the old memory first, so that both are never allocated at once.
const Buffer<std::byte>& Model::grown(Buffer<std::byte>& buffer, std::size_t bytes) const {
  if (bytes > buffer.size()) {
    buffer = Buffer<std::byte>();
    buffer = Buffer<std::byte>(*handle_, bytes);
  }
  return buffer;
}

}  // namespace attn::classifier

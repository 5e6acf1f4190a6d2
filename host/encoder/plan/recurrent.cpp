// SPDX-License-Identifier: Apache-2.0
#include "encoder/plan/recurrent.h"

#include <algorithm>

#include "base/dtype.h"
#include "encoder/base/handle.h"

namespace attn::internal {
namespace {

// The size that query(&bytes) returns.
template <class Query>
std::size_t size_from(const Query& query) {
  std::size_t bytes = 0;
  require_success(query(&bytes));
  return bytes;
}

}  // namespace

// The memory of one call.
struct EncoderPlan::Run {
  Layers& layers;
  const void* x;                // [B, T, E]
  const float* parameters;      // the parameter block
  float* gradient;              // of the block; null in the forward pass
  const std::int32_t* lengths;  // [B] in host memory, or null
  std::byte* kept;
  std::byte* scratch;  // for one step at a time
  std::size_t scratch_bytes;

  void* at(Index offset) const { return kept + offset; }
  const std::int32_t* lengths_at(Index offset) const {
    return lengths == nullptr ? nullptr : static_cast<std::int32_t*>(at(offset));
  }
};

EncoderPlan::EncoderPlan(attn_handle_t handle, EncoderBackend& backend, const attn_recurrent_desc_t& desc)
    : handle_(handle), backend_(backend), desc_(desc), parameters_(desc) {
  const std::int64_t rows = desc.B * desc.T;
  lengths_ = kept_.add(desc.B);
  for (std::int32_t n = 0; n < desc.layers; ++n) {
    Layer layer{};
    const attn_lstm_desc_t lstm{sizeof lstm,           desc.dtype, desc.B,          desc.T,
                                n == 0 ? desc.E : D(), desc.H,     desc.directions, desc.training};
    attn_lstm_t plan = nullptr;
    require_success(attn_lstm_create(handle, &lstm, &plan));
    layer.lstm.reset(plan);
    layer.y = kept_.add_rows(rows, D(), element());
    layer.reserve = kept_.add(
        static_cast<Index>(size_from([&](std::size_t* bytes) { return attn_lstm_reserve_size(plan, bytes); })), 1);
    const std::string prefix = "lstm." + std::to_string(n);
    layer.kernel = parameters_.offset(prefix + ".kernel");
    layer.recurrent = parameters_.offset(prefix + ".recurrent");
    layer.bias = parameters_.offset(prefix + ".bias");
    layers_.push_back(std::move(layer));
  }
  for (std::size_t n = 0; n < layers_.size(); ++n)
    layers_[n].dropped = drops(n) ? kept_.add_rows(rows, D(), element()) : layers_[n].y;
  weights_ = kept_.add_rows(rows, pooling() ? 0 : desc.Q, element());
  for (Index* w : {&rounded_w_, &rounded_d_w_}) *w = kept_.add(pooling() && rounds() ? D() : 0, element());
  for (Index* b : {&rounded_b_, &rounded_d_b_}) *b = kept_.add(pooling() && rounds() ? desc.T : 0, element());
  attention_reserve_ = kept_.add(pooling() ? 0 : static_cast<Index>(size_from([&](std::size_t* bytes) {
                                   const attn_projected_desc_t projected = projected_desc();
                                   return attn_projected_reserve_size(handle_, &projected, bytes);
                                 })),
                                 1);
  step_bytes_[ATTN_PASS_FORWARD] = step_workspace(ATTN_PASS_FORWARD);
  step_bytes_[ATTN_PASS_BACKWARD] = desc.training ? step_workspace(ATTN_PASS_BACKWARD) : 0;
}

// Whether dropout is applied between this layer and the next.
bool EncoderPlan::drops(std::size_t layer) const {
  return desc_.training != 0 && desc_.dropout > 0 && layer + 1 < layers_.size();
}

attn_pooling_desc_t EncoderPlan::pooling_desc() const {
  return {sizeof(attn_pooling_desc_t), desc_.dtype, desc_.B, desc_.T, D()};
}

attn_projected_desc_t EncoderPlan::projected_desc() const {
  return {sizeof(attn_projected_desc_t), desc_.dtype, desc_.B, desc_.Q, desc_.T, desc_.A, D(), desc_.P, 1};
}

std::size_t EncoderPlan::attention_workspace(attn_pass_t pass) const {
  return size_from([&](std::size_t* bytes) {
    if (pooling()) {
      const attn_pooling_desc_t desc = pooling_desc();
      return attn_pooling_workspace_size(handle_, &desc, pass, bytes);
    }
    const attn_projected_desc_t desc = projected_desc();
    return attn_projected_workspace_size(handle_, &desc, pass, bytes);
  });
}

// The size of the largest step.
std::size_t EncoderPlan::step_workspace(attn_pass_t pass) const {
  std::size_t most = attention_workspace(pass);
  for (const Layer& layer : layers_)
    most = std::max(
        most, size_from([&](std::size_t* bytes) { return attn_lstm_workspace_size(layer.lstm.get(), pass, bytes); }));
  return most;
}

std::size_t EncoderPlan::workspace_bytes(attn_pass_t pass) const {
  Layout layout;
  if (pass == ATTN_PASS_FORWARD) {
    layout.add(desc_.training ? 0 : kept_.bytes(), 1);
  } else {
    for (int i = 0; i < 2; ++i) add_gradient(layout);
  }
  layout.add(static_cast<Index>(step_bytes_[pass]), 1);
  return static_cast<std::size_t>(layout.bytes());
}

EncoderPlan::Index EncoderPlan::element() const { return static_cast<Index>(element_bytes(desc_.dtype)); }

// The gradient of the input or the output of a layer.
EncoderPlan::Index EncoderPlan::add_gradient(Layout& layout) const {
  return layout.add_rows(desc_.B * desc_.T, std::max(D(), desc_.E), element());
}

const void* EncoderPlan::input_of(const Run& run, std::size_t layer) const {
  return layer == 0 ? run.x : run.at(layers_[layer - 1].dropped);
}

// The arguments that both passes of an LSTM have.
template <class Args>
Args EncoderPlan::lstm_args(const Run& run, std::size_t layer) const {
  Args args{};
  args.struct_size = sizeof args;
  args.x = input_of(run, layer);
  args.kernel = run.parameters + layers_[layer].kernel;
  args.recurrent = run.parameters + layers_[layer].recurrent;
  args.bias = run.parameters + layers_[layer].bias;
  args.lengths = run.lengths;
  args.y = run.at(layers_[layer].y);
  args.reserve = desc_.training ? run.at(layers_[layer].reserve) : nullptr;
  return args;
}

template <class Args>
Args EncoderPlan::pooling_args(const Run& run) const {
  Args args{};
  args.struct_size = sizeof args;
  args.x = run.at(layers_.back().y);
  args.w = rounds() ? run.at(rounded_w_) : run.parameters + parameters_.offset("attention.w");
  args.b = rounds() ? run.at(rounded_b_) : run.parameters + parameters_.offset("attention.b");
  args.lengths = run.lengths_at(lengths_);
  return args;
}

template <class Args>
Args EncoderPlan::projected_args(const Run& run) const {
  Args args{};
  args.struct_size = sizeof args;
  args.x = run.at(layers_.back().y);
  args.h = run.parameters + parameters_.offset("attention.h");
  args.w_q = run.parameters + parameters_.offset("attention.w_q");
  args.w_k = run.parameters + parameters_.offset("attention.w_k");
  args.b = desc_.omit_key_bias ? nullptr : run.parameters + parameters_.offset("attention.b");
  args.v = run.parameters + parameters_.offset("attention.v");
  args.lengths = run.lengths_at(lengths_);
  args.weights = desc_.training ? run.at(weights_) : nullptr;
  args.reserve = desc_.training ? run.at(attention_reserve_) : nullptr;
  return args;
}

void EncoderPlan::pooling_forward(const Run& run, const attn_recurrent_forward_args_t& args) const {
  if (rounds()) {
    const auto round = [&](const char* name, std::int64_t count, Index place) {
      run.layers.convert(count, ATTN_DTYPE_FP32, run.parameters + parameters_.offset(name), desc_.dtype, run.at(place));
    };
    round("attention.w", D(), rounded_w_);
    round("attention.b", desc_.T, rounded_b_);
  }
  const attn_pooling_desc_t desc = pooling_desc();
  auto pooling = pooling_args<attn_pooling_forward_args_t>(run);
  pooling.o = args.o;
  pooling.weights = args.weights;
  require_success(attn_pooling_forward(handle_, &desc, &pooling, run.scratch, run.scratch_bytes));
}

void EncoderPlan::attention_forward(const Run& run, const attn_recurrent_forward_args_t& args) const {
  if (pooling()) return pooling_forward(run, args);
  const attn_projected_desc_t desc = projected_desc();
  auto projected = projected_args<attn_projected_forward_args_t>(run);
  projected.o = args.o;
  if (!desc_.training) projected.weights = args.weights;
  require_success(attn_projected_forward(handle_, &desc, &projected, run.scratch, run.scratch_bytes));
}

void EncoderPlan::pooling_backward(const Run& run, const attn_recurrent_backward_args_t& args, void* d_y) const {
  const attn_pooling_desc_t desc = pooling_desc();
  auto pooling = pooling_args<attn_pooling_backward_args_t>(run);
  float *const d_w = run.gradient + parameters_.offset("attention.w"), *const d_b = run.gradient +
                                                                                    parameters_.offset("attention.b");
  pooling.d_o = args.d_o;
  pooling.d_weights = args.d_weights;
  pooling.d_x = d_y;
  pooling.d_w = rounds() ? run.at(rounded_d_w_) : d_w;
  pooling.d_b = rounds() ? run.at(rounded_d_b_) : d_b;
  require_success(attn_pooling_backward(handle_, &desc, &pooling, run.scratch, run.scratch_bytes));
  if (!rounds()) return;
  run.layers.convert(D(), desc_.dtype, pooling.d_w, ATTN_DTYPE_FP32, d_w);
  run.layers.convert(desc_.T, desc_.dtype, pooling.d_b, ATTN_DTYPE_FP32, d_b);
}

void EncoderPlan::attention_backward(const Run& run, const attn_recurrent_backward_args_t& args, void* d_y) const {
  const auto gradient = [&](const char* name) { return run.gradient + parameters_.offset(name); };
  if (pooling()) return pooling_backward(run, args, d_y);
  const attn_projected_desc_t desc = projected_desc();
  auto projected = projected_args<attn_projected_backward_args_t>(run);
  projected.d_o = args.d_o;
  projected.d_weights = args.d_weights;
  projected.d_x = d_y;
  projected.d_h = gradient("attention.h");
  projected.d_w_q = gradient("attention.w_q");
  projected.d_w_k = gradient("attention.w_k");
  projected.d_b = desc_.omit_key_bias ? nullptr : gradient("attention.b");
  projected.d_v = gradient("attention.v");
  require_success(attn_projected_backward(handle_, &desc, &projected, run.scratch, run.scratch_bytes));
}

void EncoderPlan::forward(const attn_recurrent_forward_args_t& args, void* workspace) {
  auto* const work = static_cast<std::byte*>(workspace);
  const std::size_t step = step_bytes_[ATTN_PASS_FORWARD];
  const Run run{backend_.layers(),
                args.x,
                args.parameters,
                nullptr,
                args.lengths,
                desc_.training ? static_cast<std::byte*>(args.reserve) : work,
                desc_.training ? work : work + kept_.bytes(),
                step};
  if (args.lengths != nullptr)
    run.layers.copy_lengths(desc_.B, args.lengths, static_cast<std::int32_t*>(run.at(lengths_)));
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const auto lstm = lstm_args<attn_lstm_forward_args_t>(run, n);
    require_success(attn_lstm_forward(layers_[n].lstm.get(), &lstm, run.scratch, step));
    if (drops(n))
      run.layers.dropout(desc_.dtype, desc_.B * desc_.T * D(), desc_.dropout, args.seed, static_cast<std::uint32_t>(n),
                         run.at(layers_[n].y), run.at(layers_[n].dropped));
  }
  attention_forward(run, args);
  if (!pooling() && desc_.training && args.weights != nullptr)
    run.layers.convert(desc_.B * desc_.Q * desc_.T, desc_.dtype, run.at(weights_), desc_.dtype, args.weights);
}

void EncoderPlan::backward(const attn_recurrent_backward_args_t& args, void* workspace) {
  Layout layout;
  auto* const work = static_cast<std::byte*>(workspace);
  void* d_y = work + add_gradient(layout);
  void* d_x = work + add_gradient(layout);
  const std::size_t step = step_bytes_[ATTN_PASS_BACKWARD];
  const Run run{backend_.layers(),     args.x,       args.parameters,
                args.d_parameters,     args.lengths, static_cast<std::byte*>(args.reserve),
                work + layout.bytes(), step};
  require_success(
      attn_fill_zero(handle_, args.d_parameters, static_cast<std::size_t>(parameters_.floats()) * sizeof(float)));
  attention_backward(run, args, d_y);
  for (std::size_t n = layers_.size(); n-- > 0;) {
    const bool last = n == 0;
    if (drops(n))
      run.layers.dropout(desc_.dtype, desc_.B * desc_.T * D(), desc_.dropout, args.seed, static_cast<std::uint32_t>(n),
                         d_y, d_y);
    auto lstm = lstm_args<attn_lstm_backward_args_t>(run, n);
    lstm.d_y = d_y;
    lstm.d_x = last && args.d_x != nullptr ? args.d_x : d_x;
    lstm.d_kernel = run.gradient + layers_[n].kernel;
    lstm.d_recurrent = run.gradient + layers_[n].recurrent;
    lstm.d_bias = run.gradient + layers_[n].bias;
    require_success(attn_lstm_backward(layers_[n].lstm.get(), &lstm, run.scratch, step));
    std::swap(d_y, d_x);
  }
}

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
#include "encoder/cpu/one_direction.h"

#include <iterator>

namespace attn::internal::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;

Desc fp32(const dnnl::memory::dims& sizes, Tag tag) { return {sizes, dnnl::memory::data_type::f32, tag}; }

// The caller's layouts. oneDNN has dimensions for layers and directions, both 1 here, and for gates.
Desc x_desc(const DirectionShape& s) { return fp32({s.T, s.n, s.E}, Tag::tnc); }
Desc y_desc(const DirectionShape& s) { return fp32({s.T, s.n, s.H}, Tag::tnc); }
Desc state_desc(const DirectionShape& s) { return fp32({1, 1, s.n, s.H}, Tag::ldnc); }
Desc kernel_desc(const DirectionShape& s, Tag tag = Tag::ldigo) { return fp32({1, 1, s.E, 4, s.H}, tag); }
Desc recurrent_desc(const DirectionShape& s, Tag tag = Tag::ldigo) { return fp32({1, 1, s.H, 4, s.H}, tag); }
Desc bias_desc(const DirectionShape& s) { return fp32({1, 1, 4, s.H}, Tag::ldgo); }

dnnl::primitive_attr caller_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// oneDNN 2 describes an operation by a separate object, oneDNN 3 by arguments of the primitive descriptor.
#if DNNL_VERSION_MAJOR < 3
template <class... Operation>
dnnl::lstm_forward::primitive_desc describe_forward(const dnnl::engine& engine, const Operation&... operation) {
  return {dnnl::lstm_forward::desc(operation...), caller_scratchpad(), engine};
}
template <class... Operation>
dnnl::lstm_backward::primitive_desc describe_backward(const dnnl::engine& engine,
                                                      const dnnl::lstm_forward::primitive_desc& forward,
                                                      const Operation&... operation) {
  return {dnnl::lstm_backward::desc(operation...), caller_scratchpad(), engine, forward};
}
#else
template <class... Operation>
dnnl::lstm_forward::primitive_desc describe_forward(const dnnl::engine& engine, const Operation&... operation) {
  return {engine, operation..., caller_scratchpad()};
}
template <class... Operation>
dnnl::lstm_backward::primitive_desc describe_backward(const dnnl::engine& engine,
                                                      const dnnl::lstm_forward::primitive_desc& forward,
                                                      const Operation&... operation) {
  return {engine, operation..., forward, caller_scratchpad()};
}
#endif

constexpr auto kLeftToRight = dnnl::rnn_direction::unidirectional_left2right;

}  // namespace

PackedWeights::PackedWeights(const dnnl::engine& engine, const Desc& plain, const Desc& packed, BoundMemory& memory)
    : plain_(plain, engine, DNNL_MEMORY_NONE), packed_(memory.add(packed)) {
  const dnnl::reorder::primitive_desc desc(engine, plain, engine, packed, caller_scratchpad());
  scratchpad_ = memory.add(desc.scratchpad_desc());
  reorder_ = dnnl::reorder(desc);
}

void PackedWeights::pack(const dnnl::stream& stream, const float* weights) {
  plain_.set_data_handle(const_cast<float*>(weights));  // only read
  execute(reorder_, stream,
          {{DNNL_ARG_FROM, plain_.get()}, {DNNL_ARG_TO, packed_.get()}, {DNNL_ARG_SCRATCHPAD, scratchpad_.get()}});
}

void DirectionWeights::set(const float* kernel_values, const float* recurrent_values, const float* bias_values) {
  kernel.pack(stream, kernel_values);
  recurrent.pack(stream, recurrent_values);
  bias.set_data_handle(const_cast<float*>(bias_values));  // only read
}

OneDirection::OneDirection(const dnnl::engine& engine, const DirectionShape& shape, bool training)
    : engine_(engine), shape_(shape), training_(training) {
  const Desc x = x_desc(shape), y = y_desc(shape), state = state_desc(shape), bias = bias_desc(shape);
  const Desc kernel = kernel_desc(shape, Tag::any), recurrent = recurrent_desc(shape, Tag::any);
  const Desc unwanted;
  forward_desc_ =
      describe_forward(engine, training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                       kLeftToRight, x, state, state, kernel, recurrent, bias, y, unwanted, unwanted);
  forward_ = dnnl::lstm_forward(forward_desc_);
  if (!training) return;
  backward_desc_ = describe_backward(engine, forward_desc_, dnnl::prop_kind::backward, kLeftToRight, x, state, state,
                                     kernel, recurrent, bias, y, unwanted, unwanted, x, state, state,
                                     kernel_desc(shape), recurrent_desc(shape), bias, y, unwanted, unwanted);
  backward_ = dnnl::lstm_backward(backward_desc_);
}

template <class PrimitiveDesc>
DirectionWeights OneDirection::weights(const PrimitiveDesc& desc, BoundMemory& workspace) const {
  return {dnnl::stream(engine_), PackedWeights(engine_, kernel_desc(shape_), desc.weights_layer_desc(), workspace),
          PackedWeights(engine_, recurrent_desc(shape_), desc.weights_iter_desc(), workspace),
          dnnl::memory(bias_desc(shape_), engine_, DNNL_MEMORY_NONE)};
}

DirectionWeights OneDirection::forward_weights(BoundMemory& workspace) const {
  return weights(forward_desc_, workspace);
}
DirectionWeights OneDirection::backward_weights(BoundMemory& workspace) const {
  return weights(backward_desc_, workspace);
}

DirectionTensors OneDirection::tensors(BoundMemory& kept, BoundMemory& forward, BoundMemory& backward) const {
  DirectionTensors tensors;
  tensors.stream = dnnl::stream(engine_);
  tensors.x = kept.add(x_desc(shape_));
  tensors.y = kept.add(y_desc(shape_));
  tensors.state = kept.add(state_desc(shape_));
  tensors.forward_scratchpad = forward.add(forward_desc_.scratchpad_desc());
  if (!training_) return tensors;
  tensors.record = kept.add(forward_desc_.workspace_desc());
  tensors.d_x = backward.add(x_desc(shape_));
  tensors.d_y = backward.add(y_desc(shape_));
  tensors.d_h = backward.add(state_desc(shape_));
  tensors.d_c = backward.add(state_desc(shape_));
  tensors.d_kernel = backward.add(kernel_desc(shape_));
  tensors.d_recurrent = backward.add(recurrent_desc(shape_));
  tensors.d_bias = backward.add(bias_desc(shape_));
  tensors.backward_scratchpad = backward.add(backward_desc_.scratchpad_desc());
  return tensors;
}

void OneDirection::forward(const DirectionWeights& weights, const DirectionTensors& tensors) const {
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC_LAYER, tensors.x.get()},
                                       {DNNL_ARG_SRC_ITER, tensors.state.get()},
                                       {DNNL_ARG_SRC_ITER_C, tensors.state.get()},
                                       {DNNL_ARG_WEIGHTS_LAYER, weights.kernel.packed().get()},
                                       {DNNL_ARG_WEIGHTS_ITER, weights.recurrent.packed().get()},
                                       {DNNL_ARG_BIAS, weights.bias.get()},
                                       {DNNL_ARG_DST_LAYER, tensors.y.get()},
                                       {DNNL_ARG_SCRATCHPAD, tensors.forward_scratchpad.get()},
                                       {DNNL_ARG_WORKSPACE, tensors.record.get(true)}};
  const int count = std::size(arguments);
  execute(forward_, tensors.stream, arguments, training_ ? count : count - 1);  // inference keeps no record
}

void OneDirection::backward(const DirectionWeights& weights, const DirectionTensors& tensors) const {
  execute(backward_, tensors.stream,
          {{DNNL_ARG_SRC_LAYER, tensors.x.get()},
           {DNNL_ARG_SRC_ITER, tensors.state.get()},
           {DNNL_ARG_SRC_ITER_C, tensors.state.get()},
           {DNNL_ARG_WEIGHTS_LAYER, weights.kernel.packed().get()},
           {DNNL_ARG_WEIGHTS_ITER, weights.recurrent.packed().get()},
           {DNNL_ARG_BIAS, weights.bias.get()},
           {DNNL_ARG_DST_LAYER, tensors.y.get()},
           {DNNL_ARG_WORKSPACE, tensors.record.get()},
           {DNNL_ARG_DIFF_DST_LAYER, tensors.d_y.get()},
           {DNNL_ARG_DIFF_SRC_LAYER, tensors.d_x.get()},
           {DNNL_ARG_DIFF_SRC_ITER, tensors.d_h.get()},
           {DNNL_ARG_DIFF_SRC_ITER_C, tensors.d_c.get()},
           {DNNL_ARG_DIFF_WEIGHTS_LAYER, tensors.d_kernel.get()},
           {DNNL_ARG_DIFF_WEIGHTS_ITER, tensors.d_recurrent.get()},
           {DNNL_ARG_DIFF_BIAS, tensors.d_bias.get()},
           {DNNL_ARG_SCRATCHPAD, tensors.backward_scratchpad.get()}});
}

}  // namespace attn::internal::cpu

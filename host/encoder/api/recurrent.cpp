// SPDX-License-Identifier: Apache-2.0
//
// C entry points of the recurrent attention encoder: they check every argument rule and run the plan.
#include "encoder/plan/recurrent.h"
#include "base/object_registry.h"
#include "base/one_call.h"
#include "base/read_struct.h"
#include "base/validate.h"
#include "encoder/api/choose_backend.h"
#include "encoder/base/first_sizes.h"
#include "encoder/base/handle.h"

struct attn_recurrent {
  attn_handle_t handle;
  attn::internal::EncoderPlan encoder;
  std::atomic<bool> busy = false;
};

namespace attn::internal {
namespace {

constexpr std::int32_t kMostLayers = 1024;

ObjectRegistry<attn_recurrent>& plans() {
  static auto* living = new ObjectRegistry<attn_recurrent>(
      "plan", "attn_recurrent_create");  // never destroyed: plans may outlive static objects
  return *living;
}

// The rules that the plans of the layers do not check.
void require_desc(const attn_recurrent_desc_t& desc) {
  require_dtype("desc.dtype", desc.dtype);
  require_size("desc.B", desc.B, 0);
  require_size("desc.T", desc.T, 0);
  require_size("desc.E", desc.E, 1);
  require_size("desc.H", desc.H, 1);
  require_range("desc.layers", desc.layers, 1, kMostLayers);
  require_directions("desc.directions", desc.directions);
  if (!(desc.dropout >= 0 && desc.dropout < 1))
    reject("desc.dropout", "at least 0 and below 1", std::to_string(desc.dropout));
  require_flag("desc.training", desc.training);
  if (desc.attention == ATTN_ATTENTION_POOLING) {
    if (desc.positions < desc.T)
      reject("desc.positions", "at least T = " + std::to_string(desc.T), std::to_string(desc.positions));
  } else if (desc.attention == ATTN_ATTENTION_ADDITIVE) {
    require_size("desc.Q", desc.Q, 1);
    require_size("desc.A", desc.A, 1);
    require_size("desc.P", desc.P, 1);
    require_flag("desc.omit_key_bias", desc.omit_key_bias);
  } else {
    reject("desc.attention", "a value of attn_attention_t", std::to_string(static_cast<int>(desc.attention)));
  }
}

attn_recurrent& live_plan(attn_recurrent_t plan) {
  attn_recurrent& state = plans().at(plan);
  backend_kind(state.handle);
  return state;
}

void require_training(const attn_recurrent& plan, const char* name) {
  if (plan.encoder.desc().training == 0) reject(name, "a plan with training", "one without");
}

struct Sizes {
  std::int64_t x, o, weights;
};

Sizes sizes_of(const attn_recurrent_desc_t& desc) {
  const std::int64_t queries = desc.attention == ATTN_ATTENTION_POOLING ? 1 : desc.Q;
  return {element_count("x", {desc.B, desc.T, desc.E}), element_count("o", {desc.B, queries, desc.directions, desc.H}),
          element_count("weights", {desc.B, queries, desc.T})};
}

// The arguments that both passes have.
template <class Args>
Sizes require_inputs(const attn_recurrent& plan, const Args& args) {
  const attn_recurrent_desc_t& desc = plan.encoder.desc();
  const Sizes sizes = sizes_of(desc);
  require_tensor("args.x", args.x, desc.dtype, sizes.x);
  require_pointer("args.parameters", args.parameters);
  require_optional("args.lengths", args.lengths);
  require_lengths("args.lengths", args.lengths, desc.B, desc.T);
  if (desc.training == 0 && args.reserve != nullptr)
    reject("args.reserve", "null in a plan without training", "a pointer");
  require_aligned("args.reserve", args.reserve, plan.encoder.reserve_bytes());
  return sizes;
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_recurrent_create(attn_handle_t handle, const attn_recurrent_desc_t* caller_desc,
                                    attn_recurrent_t* plan) {
  return guarded([&] {
    backend_kind(handle);
    const attn_recurrent_desc_t desc = read_struct("desc", caller_desc);
    require_desc(desc);
    require_pointer("plan", plan);
    *plan = nullptr;
    sizes_of(desc);
    *plan = plans().add(std::unique_ptr<attn_recurrent>(
        new attn_recurrent{handle, EncoderPlan(handle, encoder_backend_of(handle), desc)}));
  });
}

attn_status_t attn_recurrent_destroy(attn_recurrent_t plan) {
  return guarded([&] { plans().destroy(plan); });
}

attn_status_t attn_recurrent_block_size(attn_recurrent_t plan, int64_t* floats) {
  return guarded([&] {
    const attn_recurrent& state = live_plan(plan);
    require_pointer("floats", floats);
    *floats = state.encoder.parameters().floats();
  });
}

attn_status_t attn_recurrent_parameter_count(attn_recurrent_t plan, int32_t* count) {
  return guarded([&] {
    const attn_recurrent& state = live_plan(plan);
    require_pointer("count", count);
    *count = static_cast<int32_t>(state.encoder.parameters().entries().size());
  });
}

attn_status_t attn_recurrent_parameter(attn_recurrent_t plan, int32_t index, attn_parameter_t* parameter) {
  return guarded([&] {
    const auto& entries = live_plan(plan).encoder.parameters().entries();
    require_pointer("parameter", parameter);
    if (index < 0 || static_cast<std::size_t>(index) >= entries.size())
      reject("index", "0 to " + std::to_string(entries.size() - 1), std::to_string(index));
    const ParameterMap::Entry& entry = entries[static_cast<std::size_t>(index)];
    *parameter = {entry.name.c_str(), entry.offset, static_cast<int32_t>(entry.shape.size()), {}};
    std::copy(entry.shape.begin(), entry.shape.end(), parameter->shape);
  });
}

attn_status_t attn_recurrent_reserve_size(attn_recurrent_t plan, size_t* bytes) {
  return guarded([&] {
    const attn_recurrent& state = live_plan(plan);
    require_pointer("bytes", bytes);
    *bytes = state.encoder.reserve_bytes();
  });
}

attn_status_t attn_recurrent_workspace_size(attn_recurrent_t plan, attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    const attn_recurrent& state = live_plan(plan);
    require_pass("pass", pass);
    if (pass == ATTN_PASS_BACKWARD) require_training(state, "pass");
    require_pointer("bytes", bytes);
    *bytes = state.encoder.workspace_bytes(pass);
  });
}

attn_status_t attn_recurrent_forward(attn_recurrent_t plan, const attn_recurrent_forward_args_t* caller_args,
                                     void* workspace, size_t workspace_bytes) {
  return guarded([&] {
    attn_recurrent& state = live_plan(plan);
    const auto args = read_struct("args", caller_args);
    const Sizes sizes = require_inputs(state, args);
    const attn_dtype_t dtype = state.encoder.desc().dtype;
    require_tensor("args.o", args.o, dtype, sizes.o);
    require_optional("args.weights", args.weights, dtype);
    require_workspace(workspace, workspace_bytes, state.encoder.workspace_bytes(ATTN_PASS_FORWARD));
    const OneCall call("plan", state.busy);
    state.encoder.forward(args, workspace);
  });
}

attn_status_t attn_recurrent_backward(attn_recurrent_t plan, const attn_recurrent_backward_args_t* caller_args,
                                      void* workspace, size_t workspace_bytes) {
  return guarded([&] {
    attn_recurrent& state = live_plan(plan);
    require_training(state, "plan");
    const auto args = read_struct("args", caller_args);
    const Sizes sizes = require_inputs(state, args);
    const attn_dtype_t dtype = state.encoder.desc().dtype;
    require_tensor("args.d_o", args.d_o, dtype, sizes.o);
    require_optional("args.d_weights", args.d_weights, dtype);
    require_optional("args.d_x", args.d_x, dtype);
    require_pointer("args.d_parameters", args.d_parameters);
    require_workspace(workspace, workspace_bytes, state.encoder.workspace_bytes(ATTN_PASS_BACKWARD));
    const OneCall call("plan", state.busy);
    state.encoder.backward(args, workspace);
  });
}

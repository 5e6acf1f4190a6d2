// SPDX-License-Identifier: Apache-2.0
//
// C entry points of the LSTM: they check every argument rule and call the backend's plan.
#include "base/object_registry.h"
#include "base/one_call.h"
#include "base/read_struct.h"
#include "base/validate.h"
#include "encoder/api/choose_backend.h"
#include "encoder/base/handle.h"

struct attn_lstm {
  attn_handle_t handle;
  attn_lstm_desc_t desc;
  int threads;  // of the handle when the plan was created
  std::unique_ptr<attn::internal::Lstm> plan;
  std::atomic<bool> busy = false;
};

namespace attn::internal {
namespace {

ObjectRegistry<attn_lstm>& plans() {
  static auto* living =
      new ObjectRegistry<attn_lstm>("plan", "attn_lstm_create");  // never destroyed: plans may outlive static objects
  return *living;
}

// The element counts of the tensors. Shapes that overflow are rejected.
struct LstmSizes {
  std::int64_t x, y, kernel, recurrent, bias;
};

LstmSizes sizes_of(const attn_lstm_desc_t& desc) {
  const std::int64_t n = desc.directions;
  return {element_count("x", {desc.B, desc.T, desc.E}), element_count("y", {desc.B, desc.T, n, desc.H}),
          element_count("kernel", {n, desc.E, 4, desc.H}), element_count("recurrent", {n, desc.H, 4, desc.H}),
          element_count("bias", {n, 4, desc.H})};
}

void require_desc(const attn_lstm_desc_t& desc) {
  require_dtype("desc.dtype", desc.dtype);
  require_size("desc.B", desc.B, 0);
  require_size("desc.T", desc.T, 0);
  require_size("desc.E", desc.E, 1);
  require_size("desc.H", desc.H, 1);
  require_directions("desc.directions", desc.directions);
  require_flag("desc.training", desc.training);
  sizes_of(desc);
  // oneDNN keeps a few times the inputs, states and gates of each position.
  element_count("reserve", {desc.B, desc.T, 4 * (desc.E + 4 * desc.H)});
}

// A live plan of a live handle, which must have the thread count that the plan was created for.
attn_lstm& live_plan(attn_lstm_t plan) {
  attn_lstm& lstm = plans().at(plan);
  const int threads = threads_of(lstm.handle);
  if (threads != lstm.threads)
    reject("plan", "a handle of " + std::to_string(lstm.threads) + " threads, as at the plan's creation",
           std::to_string(threads));
  return lstm;
}

void require_training(const attn_lstm& plan, const char* name) {
  if (plan.desc.training == 0) reject(name, "a plan with training", "one without");
}

// The arguments that both passes have.
template <class Args>
LstmSizes require_inputs(const attn_lstm_desc_t& desc, const Args& args) {
  const LstmSizes sizes = sizes_of(desc);
  require_tensor("args.x", args.x, desc.dtype, sizes.x);
  require_pointer("args.kernel", args.kernel, sizes.kernel);
  require_pointer("args.recurrent", args.recurrent, sizes.recurrent);
  require_pointer("args.bias", args.bias, sizes.bias);
  require_optional("args.lengths", args.lengths);
  require_lengths("args.lengths", args.lengths, desc.B, desc.T);
  return sizes;
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_lstm_create(attn_handle_t handle, const attn_lstm_desc_t* caller_desc, attn_lstm_t* plan) {
  return guarded([&] {
    const int threads = threads_of(handle);
    const attn_lstm_desc_t desc = read_struct("desc", caller_desc);
    require_desc(desc);
    require_pointer("plan", plan);
    *plan = nullptr;
    *plan = plans().add(
        std::unique_ptr<attn_lstm>(new attn_lstm{handle, desc, threads, encoder_backend_of(handle).make_lstm(desc)}));
  });
}

attn_status_t attn_lstm_destroy(attn_lstm_t plan) {
  return guarded([&] { plans().destroy(plan); });
}

attn_status_t attn_lstm_reserve_size(attn_lstm_t plan, size_t* bytes) {
  return guarded([&] {
    const attn_lstm& lstm = live_plan(plan);
    require_pointer("bytes", bytes);
    *bytes = lstm.plan->reserve_bytes();
  });
}

attn_status_t attn_lstm_workspace_size(attn_lstm_t plan, attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    const attn_lstm& lstm = live_plan(plan);
    require_pass("pass", pass);
    if (pass == ATTN_PASS_BACKWARD) require_training(lstm, "pass");
    require_pointer("bytes", bytes);
    *bytes = lstm.plan->workspace_bytes(pass);
  });
}

attn_status_t attn_lstm_forward(attn_lstm_t plan, const attn_lstm_forward_args_t* caller_args, void* workspace,
                                size_t workspace_bytes) {
  return guarded([&] {
    attn_lstm& lstm = live_plan(plan);
    const auto args = read_struct("args", caller_args);
    const LstmSizes sizes = require_inputs(lstm.desc, args);
    require_tensor("args.y", args.y, lstm.desc.dtype, sizes.y);
    if (lstm.desc.training == 0 && args.reserve != nullptr)
      reject("args.reserve", "null in a plan without training", "a pointer");
    require_aligned("args.reserve", args.reserve, lstm.plan->reserve_bytes());
    require_workspace(workspace, workspace_bytes, lstm.plan->workspace_bytes(ATTN_PASS_FORWARD));
    const OneCall call("plan", lstm.busy);
    lstm.plan->forward(args, workspace);
  });
}

attn_status_t attn_lstm_backward(attn_lstm_t plan, const attn_lstm_backward_args_t* caller_args, void* workspace,
                                 size_t workspace_bytes) {
  return guarded([&] {
    attn_lstm& lstm = live_plan(plan);
    require_training(lstm, "plan");
    const auto args = read_struct("args", caller_args);
    const LstmSizes sizes = require_inputs(lstm.desc, args);
    require_tensor("args.y", args.y, lstm.desc.dtype, sizes.y);
    require_aligned("args.reserve", args.reserve, lstm.plan->reserve_bytes());
    require_tensor("args.d_y", args.d_y, lstm.desc.dtype, sizes.y);
    require_tensor("args.d_x", args.d_x, lstm.desc.dtype, sizes.x);
    require_pointer("args.d_kernel", args.d_kernel, sizes.kernel);
    require_pointer("args.d_recurrent", args.d_recurrent, sizes.recurrent);
    require_pointer("args.d_bias", args.d_bias, sizes.bias);
    require_workspace(workspace, workspace_bytes, lstm.plan->workspace_bytes(ATTN_PASS_BACKWARD));
    const OneCall call("plan", lstm.busy);
    lstm.plan->backward(args, workspace);
  });
}

// SPDX-License-Identifier: Apache-2.0
//
// C entry points of the bidirectional LSTM: every argument rule, then the plan's backend.
#include "encoder/bilstm.h"

#include "api/live_set.h"
#include "api/validate.h"
#include "encoder/handle.h"
#include "encoder/validate.h"

struct attn_bilstm {
  attn_handle_t handle;
  attn_bilstm_desc_t desc;
  int threads;  // of a CPU handle; 0 for another
  std::unique_ptr<attn::BilstmBackend> plan;
};

namespace attn {
namespace {

LiveSet& live_plans() {
  static LiveSet* set = new LiveSet;  // never destroyed: plans may outlive the static objects
  return *set;
}

// Element counts of the tensors; their making refuses shapes that overflow.
struct BilstmSizes {
  std::int64_t x, y, kernel, recurrent, bias;
};

BilstmSizes sizes_of(const attn_bilstm_desc_t& desc) {
  return {element_count("x", {desc.B, desc.T, desc.E}), element_count("y", {desc.B, desc.T, 2, desc.H}),
          element_count("kernel", {2, desc.E, 4, desc.H}), element_count("recurrent", {2, desc.H, 4, desc.H}),
          element_count("bias", {2, 4, desc.H})};
}

void require_desc(const attn_bilstm_desc_t* desc) {
  require_struct("desc", desc);
  require_fp32("desc.dtype", desc->dtype);
  require_size("desc.B", desc->B, 0);
  require_size("desc.T", desc->T, 0);
  require_size("desc.E", desc->E, 1);
  require_size("desc.H", desc->H, 1);
  require_flag("desc.training", desc->training);
  sizes_of(*desc);
  // What oneDNN keeps for each position is a few times its inputs, states and gates.
  element_count("reserve", {desc->B, desc->T, 4 * (desc->E + 4 * desc->H)});
}

int threads_of(attn_handle_t handle) { return backend_kind(handle) == ATTN_BACKEND_CPU ? cpu_threads(handle) : 0; }

std::unique_ptr<BilstmBackend> make_bilstm(attn_handle_t handle, const attn_bilstm_desc_t& desc) {
#ifdef ATTN_WITH_CUDNN
  if (backend_kind(handle) == ATTN_BACKEND_CUDA) return make_cuda_bilstm(handle, desc);
#endif
  return make_cpu_bilstm(desc, cpu_threads(handle));
}

// The live plan, whose handle still has the threads that it was made for.
attn_bilstm& usable(attn_bilstm_t plan) {
  require_pointer("plan", plan);
  if (!live_plans().contains(plan))
    reject("plan", "one made by attn_bilstm_create and not destroyed", "another pointer");
  const int threads = threads_of(plan->handle);
  if (threads != plan->threads)
    reject("plan", "a handle of " + std::to_string(plan->threads) + " threads, as at the plan's creation",
           std::to_string(threads));
  return *plan;
}

void require_training(const attn_bilstm& plan, const char* name) {
  if (plan.desc.training == 0) reject(name, "a plan with training", "one without");
}

// What both passes take.
template <class Args>
BilstmSizes require_inputs(const attn_bilstm_desc_t& desc, const Args* args) {
  require_struct("args", args);
  const BilstmSizes sizes = sizes_of(desc);
  require_pointer("args.x", args->x, sizes.x);
  require_pointer("args.kernel", args->kernel, sizes.kernel);
  require_pointer("args.recurrent", args->recurrent, sizes.recurrent);
  require_pointer("args.bias", args->bias, sizes.bias);
  require_lengths("args.lengths", args->lengths, desc.B, desc.T);
  return sizes;
}

}  // namespace
}  // namespace attn

using namespace attn;

attn_status_t attn_bilstm_create(attn_handle_t handle, const attn_bilstm_desc_t* desc, attn_bilstm_t* plan) {
  return guarded([&] {
    const int threads = threads_of(handle);
    require_desc(desc);
    require_pointer("plan", plan);
    *plan = nullptr;
    auto made = std::make_unique<attn_bilstm>(attn_bilstm{handle, *desc, threads, make_bilstm(handle, *desc)});
    live_plans().insert(made.get());
    *plan = made.release();
  });
}

attn_status_t attn_bilstm_destroy(attn_bilstm_t plan) {
  return guarded([&] {
    if (plan == nullptr) return;
    if (!live_plans().erase(plan))
      reject("plan", "one made by attn_bilstm_create and not destroyed", "another pointer");
    delete plan;
  });
}

attn_status_t attn_bilstm_reserve_size(attn_bilstm_t plan, size_t* bytes) {
  return guarded([&] {
    const attn_bilstm& of = usable(plan);
    require_pointer("bytes", bytes);
    *bytes = of.plan->reserve_bytes();
  });
}

attn_status_t attn_bilstm_workspace_size(attn_bilstm_t plan, attn_pass_t pass, size_t* bytes) {
  return guarded([&] {
    const attn_bilstm& of = usable(plan);
    require_pass("pass", pass);
    if (pass == ATTN_PASS_BACKWARD) require_training(of, "pass");
    require_pointer("bytes", bytes);
    *bytes = of.plan->workspace_bytes(pass);
  });
}

attn_status_t attn_bilstm_forward(attn_bilstm_t plan, const attn_bilstm_forward_args_t* args, void* workspace,
                                  size_t workspace_bytes) {
  return guarded([&] {
    attn_bilstm& of = usable(plan);
    const BilstmSizes sizes = require_inputs(of.desc, args);
    require_pointer("args.y", args->y, sizes.y);
    if (of.desc.training == 0 && args->reserve != nullptr)
      reject("args.reserve", "null in a plan without training", "a pointer");
    require_reserve("args.reserve", args->reserve, of.plan->reserve_bytes());
    require_workspace(workspace, workspace_bytes, of.plan->workspace_bytes(ATTN_PASS_FORWARD));
    of.plan->forward(*args, workspace);
  });
}

attn_status_t attn_bilstm_backward(attn_bilstm_t plan, const attn_bilstm_backward_args_t* args, void* workspace,
                                   size_t workspace_bytes) {
  return guarded([&] {
    attn_bilstm& of = usable(plan);
    require_training(of, "plan");
    const BilstmSizes sizes = require_inputs(of.desc, args);
    require_pointer("args.y", args->y, sizes.y);
    require_reserve("args.reserve", args->reserve, of.plan->reserve_bytes());
    require_pointer("args.d_y", args->d_y, sizes.y);
    require_pointer("args.d_x", args->d_x, sizes.x);
    require_pointer("args.d_kernel", args->d_kernel, sizes.kernel);
    require_pointer("args.d_recurrent", args->d_recurrent, sizes.recurrent);
    require_pointer("args.d_bias", args->d_bias, sizes.bias);
    require_workspace(workspace, workspace_bytes, of.plan->workspace_bytes(ATTN_PASS_BACKWARD));
    of.plan->backward(*args, workspace);
  });
}

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "base/dtype.h"
#include "base/fp32_copies.h"
#include "encoder/handle.h"
#include "encoder/layers.h"
#include "encoder/projected.h"
#include "kernels/tune.h"

namespace attn::internal {
namespace {

using kernels::Index;

attn_additive_desc_t additive_desc(const attn_projected_desc_t& desc) {
  return {sizeof(attn_additive_desc_t), desc.dtype, desc.B, desc.Q, desc.T, desc.A, desc.D};
}

std::size_t additive_workspace(attn_handle_t handle, const attn_projected_desc_t& desc, attn_pass_t pass) {
  const attn_additive_desc_t additive = additive_desc(desc);
  std::size_t bytes = 0;
  require_success(attn_additive_workspace_size(handle, &additive, pass, &bytes));
  return bytes;
}

bool is_fp32(const attn_projected_desc_t& desc) { return desc.dtype == ATTN_DTYPE_FP32; }
Index element(const attn_projected_desc_t& desc) { return static_cast<Index>(element_bytes(desc.dtype)); }

// The projections and lse; offsets.
struct Reserve : Layout {
  Index q, k, lse;  // [B, Q, A], [B, T, A], [B, Q] in fp32

  explicit Reserve(const attn_projected_desc_t& desc)
      : q(add(desc.B * desc.Q * desc.A, element(desc))),
        k(add(desc.B * desc.T * desc.A, element(desc))),
        lse(add(desc.B * desc.Q)) {}
};

// The projections where nobody keeps them, or in backward their gradients; and for activations of 16 bits what is not
// theirs: v and its gradient as the attention takes them, and the projection of a shared query, which is a parameter, in
// fp32, or its gradient.
struct Workspace : Reserve {
  Index v, d_v, shared, scratch;  // [A], [A], [Q, A]

  explicit Workspace(const attn_projected_desc_t& desc)
      : Reserve(desc),
        v(add(is_fp32(desc) ? 0 : desc.A, element(desc))),
        d_v(add(is_fp32(desc) ? 0 : desc.A, element(desc))),
        shared(add_rows(is_fp32(desc) || desc.shared_query == 0 ? 0 : desc.Q, desc.A)),
        scratch(bytes()) {}
};

// Where things are in one call.
struct Run {
  attn_handle_t handle;
  Linear& linear;
  const attn_projected_desc_t& desc;
  std::byte* workspace;
  Workspace place;
  std::unique_ptr<Layers> layers;

  Run(attn_handle_t the_handle, Linear& the_linear, const attn_projected_desc_t& the_desc, void* the_workspace)
      : handle(the_handle),
        linear(the_linear),
        desc(the_desc),
        workspace(static_cast<std::byte*>(the_workspace)),
        place(the_desc),
        layers(layers_of(the_handle)) {}

  void* scratch() const { return workspace + place.scratch; }
  // Of queries: a shared one is a parameter.
  attn_dtype_t query_dtype() const { return desc.shared_query ? ATTN_DTYPE_FP32 : desc.dtype; }
  // Distinct rows of h: a shared query counts once, and not at all where there is no item to share it.
  ItemRows query_rows() const {
    return {desc.shared_query ? std::min<std::int64_t>(desc.B, 1) : desc.B, desc.Q, nullptr};
  }
  // Of the projections of distinct queries in `q`, or their gradients: there, or in fp32.
  void* distinct(void* q) const { return query_dtype() == desc.dtype ? q : workspace + place.shared; }
  // v as the attention takes it.
  const void* rounded_v(const float* v) const {
    if (is_fp32(desc)) return v;
    layers->convert(desc.A, ATTN_DTYPE_FP32, v, desc.dtype, workspace + place.v);
    return workspace + place.v;
  }
};

void project_queries(const Run& run, const attn_projected_forward_args_t& args, void* q) {
  const attn_projected_desc_t& desc = run.desc;
  void* const distinct = run.distinct(q);
  run.linear.project(run.query_dtype(), run.query_rows(), desc.A, desc.H, args.h, args.w_q, nullptr, distinct,
                     run.scratch());
  if (distinct != q && desc.B > 0) run.layers->convert(desc.Q * desc.A, ATTN_DTYPE_FP32, distinct, desc.dtype, q);
  if (desc.shared_query && desc.B > 1) run.linear.repeat_first(desc.dtype, desc.B, desc.Q * desc.A, q);
}

// d_h and d_w_q, where wanted, from d_q [B, Q, A], which is used up.
void query_gradients(const Run& run, const attn_projected_backward_args_t& args, void* d_q) {
  const attn_projected_desc_t& desc = run.desc;
  const ItemRows rows = run.query_rows();
  void* const distinct = run.distinct(d_q);
  if (desc.shared_query && desc.B > (distinct == d_q ? 1 : 0))
    run.linear.sum_items(desc.dtype, desc.B, desc.Q * desc.A, d_q, static_cast<float*>(distinct), run.scratch());
  if (args.d_h != nullptr) {
    if (desc.shared_query && desc.B == 0) run.linear.fill_zero(desc.Q * desc.H, static_cast<float*>(args.d_h));
    run.linear.project_back(run.query_dtype(), rows, desc.A, desc.H, distinct, args.w_q, args.d_h, false,
                            run.scratch());
  }
  if (args.d_w_q != nullptr)
    run.linear.weight_gradient(run.query_dtype(), rows, desc.A, desc.H, distinct, args.h, args.d_w_q, run.scratch());
}

void forward_pass(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                  const attn_projected_forward_args_t& args, void* workspace) {
  const Run run(handle, linear, desc, workspace);
  std::byte* const made = args.reserve == nullptr ? run.workspace : static_cast<std::byte*>(args.reserve);
  project_queries(run, args, made + run.place.q);
  linear.project(desc.dtype, {desc.B, desc.T, args.lengths}, desc.A, desc.D, args.x, args.w_k, args.b,
                 made + run.place.k, run.scratch());

  const attn_additive_desc_t additive = additive_desc(desc);
  attn_additive_forward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = made + run.place.q;
  additive_args.k = made + run.place.k;
  additive_args.v = run.rounded_v(args.v);
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.o = args.o;
  additive_args.weights = args.weights;
  additive_args.lse = reinterpret_cast<float*>(made + run.place.lse);
  require_success(attn_additive_forward(handle, &additive, &additive_args, run.scratch(),
                                        additive_workspace(handle, desc, ATTN_PASS_FORWARD)));
}

void backward_pass(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                   const attn_projected_backward_args_t& args, void* workspace) {
  const Run run(handle, linear, desc, workspace);
  const auto* const kept = static_cast<const std::byte*>(args.reserve);
  void *const d_q = run.workspace + run.place.q, *const d_k = run.workspace + run.place.k,
              *const d_v = is_fp32(desc) ? static_cast<void*>(args.d_v) : run.workspace + run.place.d_v;
  const ItemRows keys{desc.B, desc.T, args.lengths};

  const attn_additive_desc_t additive = additive_desc(desc);
  attn_additive_backward_args_t additive_args = {};
  additive_args.struct_size = sizeof additive_args;
  additive_args.q = kept + run.place.q;
  additive_args.k = kept + run.place.k;
  additive_args.v = run.rounded_v(args.v);
  additive_args.x = args.x;
  additive_args.lengths = args.lengths;
  additive_args.lse = reinterpret_cast<const float*>(kept + run.place.lse);
  additive_args.weights = args.weights;
  additive_args.d_o = args.d_o;
  additive_args.d_weights = args.d_weights;
  if (args.d_h != nullptr || args.d_w_q != nullptr) additive_args.d_q = d_q;
  if (args.d_x != nullptr || args.d_w_k != nullptr || args.d_b != nullptr) additive_args.d_k = d_k;
  if (args.d_v != nullptr) additive_args.d_v = d_v;
  additive_args.d_x = args.d_x;
  require_success(attn_additive_backward(handle, &additive, &additive_args, run.scratch(),
                                         additive_workspace(handle, desc, ATTN_PASS_BACKWARD)));

  if (args.d_v != nullptr && d_v != args.d_v) run.layers->convert(desc.A, desc.dtype, d_v, ATTN_DTYPE_FP32, args.d_v);
  if (args.d_x != nullptr)
    linear.project_back(desc.dtype, keys, desc.A, desc.D, d_k, args.w_k, args.d_x, true, run.scratch());
  if (args.d_w_k != nullptr)
    linear.weight_gradient(desc.dtype, keys, desc.A, desc.D, d_k, args.x, args.d_w_k, run.scratch());
  if (args.d_b != nullptr) linear.bias_gradient(desc.dtype, keys, desc.A, d_k, args.d_b, run.scratch());
  if (additive_args.d_q != nullptr) query_gradients(run, args, d_q);
}

// The same call in fp32, for a backend whose Linear takes no other. A shared query is in fp32 already.

attn_projected_forward_args_t with_fp32_copies(const attn_projected_desc_t& d, attn_projected_forward_args_t args,
                                               Fp32Copies& copies) {
  args.x = copies.key_input(args.x, d.D);
  if (!d.shared_query) args.h = copies.input(args.h, d.B * d.Q * d.H);
  args.o = copies.output(args.o, d.B * d.Q * d.D);
  args.weights = copies.output(args.weights, d.B * d.Q * d.T);
  return args;
}

attn_projected_backward_args_t with_fp32_copies(const attn_projected_desc_t& d, attn_projected_backward_args_t args,
                                                Fp32Copies& copies) {
  args.x = copies.key_input(args.x, d.D);
  args.weights = copies.pair_input(args.weights, d.Q);
  args.d_o = copies.input(args.d_o, d.B * d.Q * d.D);
  args.d_weights = copies.pair_input(args.d_weights, d.Q);
  args.d_x = copies.output(args.d_x, d.B * d.T * d.D);
  if (!d.shared_query) {
    args.h = copies.input(args.h, d.B * d.Q * d.H);
    args.d_h = copies.output(args.d_h, d.B * d.Q * d.H);
  }
  return args;
}

attn_projected_desc_t in_fp32(attn_projected_desc_t desc) {
  desc.dtype = ATTN_DTYPE_FP32;
  return desc;
}

Fp32Copies copies_of(attn_handle_t handle, const attn_projected_desc_t& desc, const std::int32_t* lengths,
                     void* workspace) {
  return Fp32Copies(desc.dtype, desc.B, {desc.T, lengths, nullptr}, workspace, cpu_threads(handle));
}

// pass() of a call that `linear` takes.
template <class Args, class Pass>
void in_its_type(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc, const Args& args,
                 void* workspace, const Pass& pass) {
  if (linear.takes(desc.dtype)) return pass(handle, linear, desc, args, workspace);
  Fp32Copies copies = copies_of(handle, desc, args.lengths, workspace);
  const Args widened = with_fp32_copies(desc, args, copies);
  pass(handle, linear, in_fp32(desc), widened, copies.remaining_workspace());
  copies.round_outputs();
}

}  // namespace

std::size_t projected_reserve(const Linear& linear, const attn_projected_desc_t& desc) {
  return static_cast<std::size_t>(Reserve(linear.takes(desc.dtype) ? desc : in_fp32(desc)).bytes());
}

std::size_t projected_workspace(attn_handle_t handle, const Linear& linear, const attn_projected_desc_t& desc,
                                attn_pass_t pass) {
  if (!linear.takes(desc.dtype)) {
    Fp32Copies copies = copies_of(handle, desc, nullptr, nullptr);
    if (pass == ATTN_PASS_FORWARD)
      with_fp32_copies(desc, attn_projected_forward_args_t{}, copies);
    else
      with_fp32_copies(desc, attn_projected_backward_args_t{}, copies);
    return copies.bytes() + projected_workspace(handle, linear, in_fp32(desc), pass);
  }
  const attn_dtype_t query_dtype = desc.shared_query ? ATTN_DTYPE_FP32 : desc.dtype;
  return static_cast<std::size_t>(Workspace(desc).scratch) +
         std::max({linear.workspace_bytes(desc.dtype, {desc.B, desc.T, nullptr}, desc.A, desc.D),
                   linear.workspace_bytes(query_dtype, {desc.B, desc.Q, nullptr}, desc.A, desc.H),
                   linear.sum_workspace_bytes(desc.Q * desc.A), additive_workspace(handle, desc, pass)});
}

void projected_forward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                       const attn_projected_forward_args_t& args, void* workspace) {
  in_its_type(handle, linear, desc, args, workspace, forward_pass);
}

void projected_backward(attn_handle_t handle, Linear& linear, const attn_projected_desc_t& desc,
                        const attn_projected_backward_args_t& args, void* workspace) {
  in_its_type(handle, linear, desc, args, workspace, backward_pass);
}

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
//
// C++17 wrapper of encoder.h: RAII owners of plans, workspaces and reserve spaces. Header only. The classifier layers
// own nothing, so they are called as in C, inside attn::check.
//
// The arguments, shapes and rules of each call are documented in encoder.h.
#ifndef ATTN_CUDA_ENCODER_HPP
#define ATTN_CUDA_ENCODER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "attn_cuda/attn_cuda.hpp"
#include "attn_cuda/encoder.h"

namespace attn {

struct ProjectedShape {
  std::int64_t B, Q, T, A, D, H;
  bool shared_query = false;
};

// attn_projected_forward and attn_projected_backward for one shape. Owns the reserve space, so backward() belongs to
// the latest forward().
class ProjectedAttention
    : public detail::Mechanism<attn_projected_desc_t, attn_projected_forward_args_t, attn_projected_backward_args_t,
                               attn_projected_workspace_size, attn_projected_forward, attn_projected_backward> {
 public:
  ProjectedAttention(const Handle& handle, const ProjectedShape& shape, attn_dtype_t dtype = ATTN_DTYPE_FP32)
      : Mechanism(handle, {0, dtype, shape.B, shape.Q, shape.T, shape.A, shape.D, shape.H, shape.shared_query}) {
    std::size_t bytes = 0;
    check(attn_projected_reserve_size(handle.get(), &desc_, &bytes));
    reserve_ = Buffer<std::byte>(handle, bytes);
  }

  void forward(attn_projected_forward_args_t args) {
    args.reserve = reserve_.data();
    Mechanism::forward(args);
  }
  void backward(attn_projected_backward_args_t args) {
    args.reserve = reserve_.data();
    Mechanism::backward(args);
  }

 private:
  Buffer<std::byte> reserve_;
};

struct LstmShape {
  std::int64_t B, T, E, H;
  std::int32_t directions = 2;
};

enum class Training { no, yes };

// Owns an attn_lstm_t. The caller provides reserve space and workspace, so that plans for several shapes can share
// them. The handle must outlive the plan and keep its thread count.
class LstmPlan {
 public:
  LstmPlan(const Handle& handle, const LstmShape& shape, Training training, attn_dtype_t dtype = ATTN_DTYPE_FP32) {
    const attn_lstm_desc_t desc = {sizeof desc, dtype,   shape.B,          shape.T,
                                   shape.E,     shape.H, shape.directions, training == Training::yes};
    attn_lstm_t plan = nullptr;
    check(attn_lstm_create(handle.get(), &desc, &plan));
    plan_.reset(plan);
    check(attn_lstm_reserve_size(plan, &reserve_bytes_));
    std::size_t forward_bytes = 0;
    std::size_t backward_bytes = 0;
    check(attn_lstm_workspace_size(plan, ATTN_PASS_FORWARD, &forward_bytes));
    if (training == Training::yes) check(attn_lstm_workspace_size(plan, ATTN_PASS_BACKWARD, &backward_bytes));
    workspace_bytes_ = std::max(forward_bytes, backward_bytes);
  }

  std::size_t reserve_bytes() const noexcept { return reserve_bytes_; }
  std::size_t workspace_bytes() const noexcept { return workspace_bytes_; }  // enough for both passes

  void forward(attn_lstm_forward_args_t args, const Buffer<std::byte>& workspace) {
    args.struct_size = sizeof args;
    check(attn_lstm_forward(plan_.get(), &args, workspace.data(), workspace.size()));
  }
  void backward(attn_lstm_backward_args_t args, const Buffer<std::byte>& workspace) {
    args.struct_size = sizeof args;
    check(attn_lstm_backward(plan_.get(), &args, workspace.data(), workspace.size()));
  }

 private:
  struct Destroy {
    void operator()(attn_lstm_t plan) const noexcept { attn_lstm_destroy(plan); }
  };
  std::unique_ptr<attn_lstm, Destroy> plan_;
  std::size_t reserve_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
};

// An LSTM plan that owns its workspace and reserve space, so backward() belongs to the latest forward().
class Lstm {
 public:
  Lstm(const Handle& handle, const LstmShape& shape, Training training, attn_dtype_t dtype = ATTN_DTYPE_FP32)
      : plan_(handle, shape, training, dtype),
        reserve_(handle, plan_.reserve_bytes()),
        workspace_(handle, plan_.workspace_bytes()) {}

  void forward(attn_lstm_forward_args_t args) {
    args.reserve = reserve_.data();
    plan_.forward(args, workspace_);
  }
  void backward(attn_lstm_backward_args_t args) {
    args.reserve = reserve_.data();
    plan_.backward(args, workspace_);
  }

 private:
  LstmPlan plan_;
  Buffer<std::byte> reserve_, workspace_;
};

}  // namespace attn

#endif

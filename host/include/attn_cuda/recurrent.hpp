// SPDX-License-Identifier: Apache-2.0
//
// C++17 wrapper of recurrent.h: RAII owners of an encoder's plan and of the memory that its passes need. Header only.
//
// The arguments, shapes and rules of each call are documented in recurrent.h.
#ifndef ATTN_CUDA_RECURRENT_HPP
#define ATTN_CUDA_RECURRENT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "attn_cuda/recurrent.h"

namespace attn {

struct RecurrentParameter {
  std::string name;
  std::int64_t offset;  // from the start of the parameter block, in floats
  std::vector<std::int64_t> shape;
};

// Owns an attn_recurrent_t and fills in struct_size. The caller provides reserve space and workspace, so that plans for
// several shapes can share them. A plan for an empty batch is cheap and has the same parameters as any other. The handle
// must outlive the plan and keep its thread count.
class RecurrentPlan {
 public:
  RecurrentPlan(const Handle& handle, attn_recurrent_desc_t desc) {
    desc.struct_size = sizeof desc;
    attn_recurrent_t plan = nullptr;
    check(attn_recurrent_create(handle.get(), &desc, &plan));
    plan_.reset(plan);
    std::size_t forward = 0, backward = 0;
    check(attn_recurrent_reserve_size(plan, &reserve_bytes_));
    check(attn_recurrent_workspace_size(plan, ATTN_PASS_FORWARD, &forward));
    if (desc.training != 0) check(attn_recurrent_workspace_size(plan, ATTN_PASS_BACKWARD, &backward));
    workspace_bytes_ = std::max(forward, backward);
    check(attn_recurrent_block_size(plan, &block_size_));
    std::int32_t count = 0;
    check(attn_recurrent_parameter_count(plan, &count));
    for (std::int32_t i = 0; i < count; ++i) {
      attn_parameter_t parameter{};
      check(attn_recurrent_parameter(plan, i, &parameter));
      parameters_.push_back({parameter.name, parameter.offset, {parameter.shape, parameter.shape + parameter.rank}});
    }
  }

  // The parameters in the order of the block.
  const std::vector<RecurrentParameter>& parameters() const noexcept { return parameters_; }
  std::size_t block_size() const noexcept { return static_cast<std::size_t>(block_size_); }  // in floats
  std::size_t reserve_bytes() const noexcept { return reserve_bytes_; }
  std::size_t workspace_bytes() const noexcept { return workspace_bytes_; }  // enough for both passes

  void forward(attn_recurrent_forward_args_t args, const Buffer<std::byte>& workspace) {
    args.struct_size = sizeof args;
    check(attn_recurrent_forward(plan_.get(), &args, workspace.data(), workspace.size()));
  }
  void backward(attn_recurrent_backward_args_t args, const Buffer<std::byte>& workspace) {
    args.struct_size = sizeof args;
    check(attn_recurrent_backward(plan_.get(), &args, workspace.data(), workspace.size()));
  }

 private:
  struct Destroy {
    void operator()(attn_recurrent_t plan) const noexcept { attn_recurrent_destroy(plan); }
  };
  std::unique_ptr<attn_recurrent, Destroy> plan_;
  std::size_t reserve_bytes_ = 0, workspace_bytes_ = 0;
  std::int64_t block_size_ = 0;
  std::vector<RecurrentParameter> parameters_;
};

// An encoder plan that owns its workspace and reserve space, so backward() belongs to the latest forward().
class RecurrentEncoder {
 public:
  RecurrentEncoder(const Handle& handle, const attn_recurrent_desc_t& desc)
      : plan_(handle, desc), reserve_(handle, plan_.reserve_bytes()), workspace_(handle, plan_.workspace_bytes()) {}

  const std::vector<RecurrentParameter>& parameters() const noexcept { return plan_.parameters(); }
  std::size_t block_size() const noexcept { return plan_.block_size(); }  // floats

  void forward(attn_recurrent_forward_args_t args) {
    args.reserve = reserve_.data();
    plan_.forward(args, workspace_);
  }
  void backward(attn_recurrent_backward_args_t args) {
    args.reserve = reserve_.data();
    plan_.backward(args, workspace_);
  }

 private:
  RecurrentPlan plan_;
  Buffer<std::byte> reserve_, workspace_;
};

}  // namespace attn

#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "encoder/base/backend.h"
#include "encoder/cpu/layers.h"
#include "encoder/cpu/linear.h"

namespace attn::internal::cpu {

class CpuEncoderBackend final : public EncoderBackend {
 public:
  explicit CpuEncoderBackend(attn_handle_t handle) : handle_(handle), layers_(handle), linear_(handle) {}

  Layers& layers() override { return layers_; }
  Linear& linear() override { return linear_; }
  std::unique_ptr<Lstm> make_lstm(const attn_lstm_desc_t& desc) override;
  const char* libraries() const override;

 private:
  attn_handle_t handle_;
  CpuLayers layers_;
  CpuLinear linear_;
};

}  // namespace attn::internal::cpu

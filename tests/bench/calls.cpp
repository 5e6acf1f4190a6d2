// SPDX-License-Identifier: Apache-2.0
#include "bench/calls.h"

#include <cstring>
#include <random>
#include <vector>

namespace attn::bench {
namespace {

// Tensors in the memory of a handle's backend.
class Tensors {
 public:
  Tensors(const Handle& handle, attn_dtype_t dtype) : handle_(handle), dtype_(dtype) {}

  void* in(Index count) {
    Buffer<std::byte>& buffer = make(count);
    buffer.upload(values(buffer.size()));
    return buffer.data();
  }
  void* out(Index count) { return make(count).data(); }
  float* fp32(Index count) { return reinterpret_cast<float*>(add(count * sizeof(float)).data()); }

 private:
  Buffer<std::byte>& make(Index count) { return add(count * (dtype_ == ATTN_DTYPE_FP32 ? 4 : 2)); }
  Buffer<std::byte>& add(Index bytes) {
    buffers_.emplace_back(handle_, static_cast<std::size_t>(bytes));
    return buffers_.back();
  }

  // Random sign and fraction with the exponent of 1/2.
  template <class Bits>
  void fill(std::vector<std::byte>& bytes, Bits half, Bits random) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(Bits)) {
      const Bits value = static_cast<Bits>(half | (static_cast<Bits>(engine_()) & random));
      std::memcpy(bytes.data() + at, &value, sizeof value);
    }
  }
  std::vector<std::byte> values(std::size_t size) {
    std::vector<std::byte> bytes(size);
    switch (dtype_) {
      case ATTN_DTYPE_FP32:
        fill<std::uint32_t>(bytes, 0x3f000000, 0x807fffff);
        break;
      case ATTN_DTYPE_FP16:
        fill<std::uint16_t>(bytes, 0x3800, 0x83ff);
        break;
      case ATTN_DTYPE_BF16:
        fill<std::uint16_t>(bytes, 0x3f00, 0x807f);
        break;
    }
    return bytes;
  }

  const Handle& handle_;
  attn_dtype_t dtype_;
  std::mt19937 engine_{1};
  std::vector<Buffer<std::byte>> buffers_;
};

class AdditiveCall final : public Call {
 public:
  AdditiveCall(const Handle& handle, const Pass& pass, const Shape& s, attn_dtype_t dtype)
      : attention_(handle, {s.B, s.Q, s.T, s.A, s.D}, dtype), tensors_(handle, dtype), backward_(pass.backward) {
    void* const weights = pass.weights ? tensors_.out(s.B * s.Q * s.T) : nullptr;
    forward_args_ = {0,
                     tensors_.in(s.B * s.Q * s.A),
                     tensors_.in(s.B * s.T * s.A),
                     tensors_.in(s.A),
                     tensors_.in(s.B * s.T * s.D),
                     nullptr,
                     nullptr,
                     tensors_.out(s.B * s.Q * s.D),
                     weights,
                     tensors_.fp32(s.B * s.Q)};
    if (!backward_) return;
    attention_.forward(forward_args_);
    backward_args_ = {0,
                      forward_args_.q,
                      forward_args_.k,
                      forward_args_.v,
                      forward_args_.x,
                      nullptr,
                      nullptr,
                      forward_args_.lse,
                      weights,
                      tensors_.in(s.B * s.Q * s.D),
                      nullptr,
                      tensors_.out(s.B * s.Q * s.A),
                      tensors_.out(s.B * s.T * s.A),
                      tensors_.out(s.A),
                      tensors_.out(s.B * s.T * s.D)};
  }
  void run() override { backward_ ? attention_.backward(backward_args_) : attention_.forward(forward_args_); }

 private:
  AdditiveAttention attention_;
  Tensors tensors_;
  bool backward_;
  attn_additive_forward_args_t forward_args_{};
  attn_additive_backward_args_t backward_args_{};
};

class PoolingCall final : public Call {
 public:
  PoolingCall(const Handle& handle, const Pass& pass, const Shape& s, attn_dtype_t dtype)
      : pooling_(handle, {s.B, s.T, s.D}, dtype), tensors_(handle, dtype), backward_(pass.backward) {
    const void *const x = tensors_.in(s.B * s.T * s.D), *const w = tensors_.in(s.D), *const b = tensors_.in(s.T);
    if (backward_)
      backward_args_ = {0,
                        x,
                        w,
                        b,
                        nullptr,
                        nullptr,
                        tensors_.in(s.B * s.D),
                        nullptr,
                        tensors_.out(s.B * s.T * s.D),
                        tensors_.out(s.D),
                        tensors_.out(s.T)};
    else
      forward_args_ = {0, x, w, b, nullptr, nullptr, tensors_.out(s.B * s.D), nullptr};
  }
  void run() override { backward_ ? pooling_.backward(backward_args_) : pooling_.forward(forward_args_); }

 private:
  AttentionPooling pooling_;
  Tensors tensors_;
  bool backward_;
  attn_pooling_forward_args_t forward_args_{};
  attn_pooling_backward_args_t backward_args_{};
};

}  // namespace

Cost cost_of(const Pass& pass, const Shape& s) {
  if (pass.pooling && pass.backward)
    return {pooling_backward_bytes(s, false), pooling_backward_tensors(s, false), s.B * s.T};
  if (pass.pooling)
    return {pooling_forward_bytes(s, pass.weights), pooling_forward_tensors(s, pass.weights), s.B * s.T};
  const Index tanhs = s.B * s.Q * s.T * s.A;
  if (pass.backward)
    return {additive_backward_bytes(s, pass.weights, false), additive_backward_tensors(s, pass.weights, false),
            pass.weights ? tanhs : 2 * tanhs};
  return {additive_forward_bytes(s, pass.weights), additive_forward_tensors(s, pass.weights), tanhs};
}

std::unique_ptr<Call> make_call(const Handle& handle, const Pass& pass, const Shape& shape, attn_dtype_t dtype) {
  if (pass.pooling) return std::make_unique<PoolingCall>(handle, pass, shape, dtype);
  return std::make_unique<AdditiveCall>(handle, pass, shape, dtype);
}

}  // namespace attn::bench

// SPDX-License-Identifier: Apache-2.0
//
// What a backend offers to the C API. Arguments arrive validated; an implementation throws attn::internal::Failure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

// The memory of a feed, and what keeps the host, the copies and the handle's stream apart in it. Slots come in turn.
class FeedSlots {
 public:
  virtual ~FeedSlots() = default;

  virtual void* fill(int slot) = 0;                    // its host memory, once the last copy has left it
  virtual void send(int slot, std::size_t bytes) = 0;  // copies, once those who had it have given it back
  virtual void* take(int slot, void* stream) = 0;      // its device memory, in which `stream` finds what was sent
  virtual void give_back(int slot, void* stream) = 0;  // once `stream` is through with what it has got so far
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual attn_backend_t kind() const = 0;
  virtual const std::string& device_name() const = 0;

  virtual void set_threads(int threads) = 0;
  virtual int threads() const = 0;
  virtual void set_stream(void* stream) = 0;
  virtual void* stream() const = 0;

  virtual void* allocate(std::size_t bytes) = 0;
  virtual void free(void* pointer) = 0;
  virtual void copy_from_host(void* destination, const void* source, std::size_t bytes) = 0;
  virtual void copy_to_host(void* destination, const void* source, std::size_t bytes) = 0;
  virtual void fill_zero(void* pointer, std::size_t bytes) = 0;
  virtual void synchronize() = 0;

  // Slots of `bytes` each, a multiple of 64.
  virtual std::unique_ptr<FeedSlots> make_feed(std::size_t bytes, int slots) = 0;

  virtual std::size_t additive_workspace(const attn_additive_desc_t& desc, attn_pass_t pass) const = 0;
  virtual void additive_forward(const attn_additive_desc_t& desc, const attn_additive_forward_args_t& args,
                                void* workspace) = 0;
  virtual void additive_backward(const attn_additive_desc_t& desc, const attn_additive_backward_args_t& args,
                                 void* workspace) = 0;

  virtual std::size_t pooling_workspace(const attn_pooling_desc_t& desc, attn_pass_t pass) const = 0;
  virtual void pooling_forward(const attn_pooling_desc_t& desc, const attn_pooling_forward_args_t& args,
                               void* workspace) = 0;
  virtual void pooling_backward(const attn_pooling_desc_t& desc, const attn_pooling_backward_args_t& args,
                                void* workspace) = 0;
};

}  // namespace attn::internal

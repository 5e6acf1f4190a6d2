// SPDX-License-Identifier: Apache-2.0
//
// The operations that a backend provides to the C API. Arguments are valid; implementations throw Failure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "attn_cuda/attn_cuda.h"

namespace attn::internal {

// The memory of a feed and the synchronisation between the host, the copies and the handle's stream. Slots are used in
// turn.
class FeedSlots {
 public:
  virtual ~FeedSlots() = default;

  // The host memory of a slot, when its last copy has completed.
  virtual void* host_memory(int slot) = 0;
  // Enqueues the copy of a slot to the device, after all work that uses its previous contents.
  virtual void copy_to_device(int slot, std::size_t bytes) = 0;
  // The device memory of a slot. Work enqueued on `stream` from now on finds the copied data there.
  virtual void* device_memory(int slot, void* stream) = 0;
  // Ends the use of a slot: it may be overwritten when all work enqueued on `stream` so far has completed.
  virtual void release(int slot, void* stream) = 0;
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

  // `bytes` is the size of a slot, a multiple of 64.
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

// SPDX-License-Identifier: Apache-2.0
//
// C++17 wrapper of feed.h: an RAII owner of a feed, exceptions instead of statuses. Header only.
#ifndef ATTN_CUDA_FEED_HPP
#define ATTN_CUDA_FEED_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include "attn_cuda/attn_cuda.hpp"
#include "attn_cuda/feed.h"

namespace attn {

// Owns an attn_feed_t. The handle must outlive it. The calls and their order are documented in feed.h.
class Feed {
 public:
  Feed(const Handle& handle, std::size_t bytes, std::int32_t slots = 2) {
    attn_feed_t feed = nullptr;
    check(attn_feed_create(handle.get(), bytes, slots, &feed));
    feed_.reset(feed);
  }

  void* fill() {
    void* pointer = nullptr;
    check(attn_feed_fill(feed_.get(), &pointer));
    return pointer;
  }
  void send(std::size_t bytes) { check(attn_feed_send(feed_.get(), bytes)); }
  void* take() {
    void* pointer = nullptr;
    check(attn_feed_take(feed_.get(), &pointer));
    return pointer;
  }

 private:
  struct Destroy {
    void operator()(attn_feed_t feed) const noexcept { attn_feed_destroy(feed); }
  };
  std::unique_ptr<attn_feed, Destroy> feed_;
};

}  // namespace attn

#endif

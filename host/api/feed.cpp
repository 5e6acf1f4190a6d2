// SPDX-License-Identifier: Apache-2.0
//
// C entry points of feeds: they check every argument rule and keep the order of the slots. Memory and synchronisation
// belong to the backend.
#include "attn_cuda/feed.h"

#include "api/handle.h"
#include "base/object_registry.h"
#include "base/validate.h"

struct attn_feed {
  attn_handle_t handle;
  std::size_t bytes;
  std::int64_t count;
  std::unique_ptr<attn::internal::FeedSlots> slots;
  // The numbers of batches so far; batch n uses slot n modulo count. The last batch taken occupies its slot until the
  // next one is taken.
  std::int64_t sent = 0, taken = 0;
  bool filling = false;

  int slot_of(std::int64_t batch) const { return static_cast<int>(batch % count); }
  std::int64_t busy() const { return sent - taken + (taken > 0 ? 1 : 0); }
};

namespace attn::internal {
namespace {

constexpr std::size_t kAlignment = 64;

ObjectRegistry<attn_feed>& feeds() {
  static auto* living =
      new ObjectRegistry<attn_feed>("feed", "attn_feed_create");  // never destroyed: feeds may outlive static objects
  return *living;
}

// A live feed of a live handle.
attn_feed& live_feed(attn_feed_t feed) {
  attn_feed& state = feeds().at(feed);
  backend_of(state.handle);
  return state;
}

}  // namespace
}  // namespace attn::internal

using namespace attn::internal;

attn_status_t attn_feed_create(attn_handle_t handle, size_t bytes, int32_t slots, attn_feed_t* feed) {
  return guarded([&] {
    Backend& backend = backend_of(handle);
    require_size("slots", slots, 2);
    const std::size_t most = static_cast<std::size_t>(PTRDIFF_MAX) / static_cast<std::size_t>(slots) - kAlignment;
    if (bytes < 1 || bytes > most) reject("bytes", "1 to " + std::to_string(most), std::to_string(bytes));
    require_pointer("feed", feed);
    *feed = nullptr;
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    *feed =
        feeds().add(std::make_unique<attn_feed>(attn_feed{handle, bytes, slots, backend.make_feed(rounded, slots)}));
  });
}

attn_status_t attn_feed_destroy(attn_feed_t feed) {
  return guarded([&] { feeds().destroy(feed); });
}

attn_status_t attn_feed_fill(attn_feed_t feed, void** pointer) {
  return guarded([&] {
    attn_feed& state = live_feed(feed);
    require_pointer("pointer", pointer);
    if (state.busy() == state.count)
      reject("feed", "a slot that is neither sent nor taken",
             std::to_string(state.count) + " of " + std::to_string(state.count) + " that are");
    *pointer = state.slots->host_memory(state.slot_of(state.sent));
    state.filling = true;
  });
}

attn_status_t attn_feed_send(attn_feed_t feed, size_t bytes) {
  return guarded([&] {
    attn_feed& state = live_feed(feed);
    if (!state.filling) reject("feed", "a slot that attn_feed_fill gave", "none");
    if (bytes > state.bytes) reject("bytes", "at most " + std::to_string(state.bytes), std::to_string(bytes));
    state.slots->copy_to_device(state.slot_of(state.sent), bytes);
    ++state.sent;
    state.filling = false;
  });
}

attn_status_t attn_feed_take(attn_feed_t feed, void** pointer) {
  return guarded([&] {
    attn_feed& state = live_feed(feed);
    require_pointer("pointer", pointer);
    if (state.taken == state.sent) reject("feed", "a batch that attn_feed_send sent", "none");
    void* const stream = backend_of(state.handle).stream();
    if (state.taken > 0) state.slots->release(state.slot_of(state.taken - 1), stream);
    *pointer = state.slots->device_memory(state.slot_of(state.taken), stream);
    ++state.taken;
  });
}

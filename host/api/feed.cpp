// SPDX-License-Identifier: Apache-2.0
//
// C entry points of feeds: whose turn a slot is, and every argument rule; memory and waiting are the backend's.
#include "attn_cuda/feed.h"

#include "api/handle.h"
#include "base/object_registry.h"
#include "base/validate.h"

struct attn_feed {
  attn_handle_t handle;
  std::size_t bytes;
  std::int64_t count;
  std::unique_ptr<attn::internal::FeedSlots> slots;
  // Batches so far; the n-th has slot n modulo count. The last one taken keeps its slot until the next is.
  std::int64_t sent = 0, taken = 0;
  bool filling = false;

  int slot_of(std::int64_t batch) const { return static_cast<int>(batch % count); }
  std::int64_t busy() const { return sent - taken + (taken > 0 ? 1 : 0); }
};

namespace attn::internal {
namespace {

constexpr std::size_t kAlignment = 64;

ObjectRegistry<attn_feed>& feeds() {
  static auto* living = new ObjectRegistry<attn_feed>(
      "feed", "attn_feed_create");  // never destroyed: they may outlive the static objects
  return *living;
}

// The live feed, whose handle lives too.
attn_feed& usable(attn_feed_t feed) {
  attn_feed& of = feeds().at(feed);
  backend_of(of.handle);
  return of;
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
    attn_feed& of = usable(feed);
    require_pointer("pointer", pointer);
    if (of.busy() == of.count)
      reject("feed", "a slot that is neither sent nor taken",
             std::to_string(of.count) + " of " + std::to_string(of.count) + " that are");
    *pointer = of.slots->fill(of.slot_of(of.sent));
    of.filling = true;
  });
}

attn_status_t attn_feed_send(attn_feed_t feed, size_t bytes) {
  return guarded([&] {
    attn_feed& of = usable(feed);
    if (!of.filling) reject("feed", "a slot that attn_feed_fill gave", "none");
    if (bytes > of.bytes) reject("bytes", "at most " + std::to_string(of.bytes), std::to_string(bytes));
    of.slots->send(of.slot_of(of.sent), bytes);
    ++of.sent;
    of.filling = false;
  });
}

attn_status_t attn_feed_take(attn_feed_t feed, void** pointer) {
  return guarded([&] {
    attn_feed& of = usable(feed);
    require_pointer("pointer", pointer);
    if (of.taken == of.sent) reject("feed", "a batch that attn_feed_send sent", "none");
    void* const stream = backend_of(of.handle).stream();
    if (of.taken > 0) of.slots->give_back(of.slot_of(of.taken - 1), stream);
    *pointer = of.slots->take(of.slot_of(of.taken), stream);
    ++of.taken;
  });
}

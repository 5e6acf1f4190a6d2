/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda: a feed copies the next batches into the memory of a handle while the handle's calls work on the current
 * one (prefetching with double buffering). C99.
 *
 * A feed is a ring of slots of equal size. Each batch passes through three calls:
 *
 *   attn_feed_fill   gives host memory, into which the caller writes the batch
 *   attn_feed_send   starts the copy to the device
 *   attn_feed_take   gives the device memory of the oldest batch sent, for the handle's compute calls
 *
 * A loop that overlaps the host's work and the copies with the device's work:
 *
 *   fill, send; while there are batches: take, compute calls of a step, fill, send, and only then wait for results
 *
 * On CUDA, host memory is pinned, copies run on a stream of their own, and events order them: a copy into a slot starts
 * when the handle's stream has finished with the slot's previous batch, and the handle's stream waits for the copy. On
 * the CPU a slot has one memory for both purposes and nothing is copied.
 *
 * attn_feed_create acquires all memory, the stream and the events; later calls allocate nothing. attn_feed_fill may
 * wait for a copy, the other calls do not wait. A call that failed may be repeated.
 */
#ifndef ATTN_CUDA_FEED_H
#define ATTN_CUDA_FEED_H

#include "attn_cuda/attn_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A feed belongs to its handle, which must outlive it, and is used by the same thread. */
typedef struct attn_feed* attn_feed_t;

/* Creates a feed of `slots` slots (at least 2) of `bytes` bytes each (at least 1), not initialised.
 * Two slots suffice to copy one batch while another is in use. */
ATTN_API attn_status_t attn_feed_create(attn_handle_t handle, size_t bytes, int32_t slots, attn_feed_t* feed);

/* Destroys a feed after waiting for its copies and for the device's work on its memory.
 * Null is ignored. A feed that was already destroyed is rejected where this can be detected. */
ATTN_API attn_status_t attn_feed_destroy(attn_feed_t feed);

/* Stores the host memory of the next slot, aligned to 64 bytes, waiting only for the previous copy out of it.
 * Repeated calls give the same slot until it is sent. The host may read the memory until the slot is given again.
 * Fails if every slot is sent or taken. */
ATTN_API attn_status_t attn_feed_fill(attn_feed_t feed, void** pointer);

/* Sends the first `bytes` bytes, at most the slot's size, of the slot that attn_feed_fill gave last.
 * The host must not write to the slot afterwards. Fails if there is no such slot. */
ATTN_API attn_status_t attn_feed_send(attn_feed_t feed, size_t bytes);

/* Stores the memory of the oldest batch sent and not yet taken, in the memory of the handle's backend, aligned to 64
 * bytes. It is for calls on the stream that the handle has now, and valid until the next attn_feed_take, which recycles
 * the slot once all work enqueued on that stream so far has completed. A caller that changes the handle's stream in
 * between orders the two streams.
 * Fails if no batch is waiting, and on a stream that is being captured: a graph would wait for this one copy only. */
ATTN_API attn_status_t attn_feed_take(attn_feed_t feed, void** pointer);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * libattn_cuda: a feed brings one batch after the other into the memory of a handle while its calls work on the one
 * before. C99.
 *
 * A feed is a ring of slots of the same size. For each batch, in this order:
 *
 *   attn_feed_fill   gives host memory; the caller writes the batch there
 *   attn_feed_send   starts its copy to the device
 *   attn_feed_take   gives the device memory of the oldest batch sent, for the handle's calls
 *
 * and while the device works on what it was given, the host fills and sends the next:
 *
 *   fill, send; while there are batches: take, calls of a step, fill, send, and only then what waits for results
 *
 * On CUDA host memory is pinned, copies run on a stream of the feed's own, and events keep all in order: a copy starts
 * when the handle's stream has ended what it does with the slot's earlier batch, and the handle's stream waits for the
 * copy. On the CPU both memories of a slot are the same, and there is no copy.
 *
 * Memory, stream and events are all asked for by attn_feed_create. Later calls allocate nothing; attn_feed_fill waits for
 * a copy, the others wait for nothing. A call that fails may be repeated.
 */
#ifndef ATTN_CUDA_FEED_H
#define ATTN_CUDA_FEED_H

#include "attn_cuda/attn_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Belongs to its handle, which must outlive it, and is used by the handle's thread. */
typedef struct attn_feed* attn_feed_t;

/* `slots` >= 2, of `bytes` >= 1 each; the memory is not initialised. Two are enough for a batch on its way while another is
 * worked on. */
ATTN_API attn_status_t attn_feed_create(attn_handle_t handle, size_t bytes, int32_t slots, attn_feed_t* feed);

/* Waits for copies and for what the device still does with the memory. Null is allowed and does nothing. A feed already
 * destroyed is refused as far as that can be seen. */
ATTN_API attn_status_t attn_feed_destroy(attn_feed_t feed);

/* Host memory of the next slot, 64-byte aligned, once the last copy from it has ended; waits for nothing else. The same
 * again until it is sent. May be read until the slot comes round. Refused where every slot is sent or taken. */
ATTN_API attn_status_t attn_feed_fill(attn_feed_t feed, void** pointer);

/* The first `bytes` of the slot that attn_feed_fill gave, no more than it has. The host must not write there any more. */
ATTN_API attn_status_t attn_feed_send(attn_feed_t feed, size_t bytes);

/* The oldest batch sent, in memory of the handle's backend, 64-byte aligned, for calls on the stream that the handle has
 * now. It is theirs until the next attn_feed_take, which gives the slot back: what has been put into the handle's stream
 * by then may still use it, nothing later. Who changes the stream in between sees to the order of the two. Refused where no
 * batch has been sent, and on a stream that is being captured: a graph would repeat the wait for this one copy. */
ATTN_API attn_status_t attn_feed_take(attn_feed_t feed, void** pointer);

#ifdef __cplusplus
}
#endif

#endif

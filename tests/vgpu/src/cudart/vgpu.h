/* SPDX-License-Identifier: Apache-2.0
 *
 * What the virtual GPU offers beyond CUDA. A program finds these with dlsym(RTLD_DEFAULT, ...), so that the same binary runs
 * on a GPU, where they are not there. */
#ifndef VGPU_H
#define VGPU_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* 1. That the symbol exists says it too. */
int vgpu_is_virtual(void);

/* Counters of all launches that ran since the process began or the last reset; counters are those of exec/counters.h. Launches
 * that are still queued are not in: synchronise first. The text is one JSON object and stays valid until the same thread calls
 * again. */
void vgpu_counters_reset(void);
const char* vgpu_counters_json(void);

/* How often a kernel of that name, as the device knows it, was run since the counters' last reset; null: any kernel. Work of
 * vgpu_issue() counts as a kernel here and among the counters' launches. */
unsigned long long vgpu_launches(const char* name);

/* Calls of the CUDA runtime so far in which the host waited for the device (synchronisation of a device, stream or event,
 * blocking copies and fills but those within the device, cudaFree and its like), and calls that allocated memory of a device,
 * of a pool or of the host for it. */
unsigned long long vgpu_synchronizations(void);
unsigned long long vgpu_allocations(void);

/* Calls so far that can fail without the program's fault: launches, allocations, copies, fills, and those with streams, events
 * and graphs, but for calls that only ask or set free; and of stand-ins for libraries the calls in which they asked
 * vgpu_fails_now(). */
unsigned long long vgpu_calls(void);

/* Lets the n-th such call from now on fail, 1 being the next; 0: none. It has no effect, but that a capture it was to end has
 * ended. Its code is cudaErrorMemoryAllocation of what allocates, cudaErrorLaunchFailure of a launch, else cudaErrorUnknown;
 * the next call works. */
void vgpu_fail_call(unsigned long long n);

/* ---- for stand-ins of libraries that compute on the GPU ---- */

/* Counts a call of the library; not 0: the call is one that has to fail. */
int vgpu_fails_now(void);

typedef struct vgpu_range_t {
  const void* address;
  size_t bytes;
  int written; /* 0: read; 1: written; 2: both, a value is read and then overwritten */
} vgpu_range_t;

/* Puts work into a stream of the current device, or into the graph that the stream is captured into, where it is a kernel of
 * that name. run(argument) is called when the work's turn comes: perhaps never, in another thread, or once for each launch of
 * a graph. release(argument) is called once, when run can't be any more, or not at all if the process ends before. Neither may
 * call the CUDA runtime.
 *
 * The ranges say what the work reads and writes. They are checked before it runs, as accesses of a kernel are: that they lie
 * in memory that the device reaches and has not been freed, and that what is read was written before; also that none overlaps
 * with a written one. A fault is described as the kernel's, and is the device's error as any other. What is written counts as
 * initialised from then on. An entry of no bytes is nothing.
 *
 * Returns a cudaError_t, and a call is not one of those that vgpu_fail_call() counts. On an error release has been called. */
int vgpu_issue(void* stream, const char* name, const vgpu_range_t* ranges, size_t count, void (*run)(void*),
               void (*release)(void*), void* argument);

/* Where the host finds bytes of device memory, while the work runs; null: not all are in memory that the device reaches. */
void* vgpu_bytes(const void* address, size_t count);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

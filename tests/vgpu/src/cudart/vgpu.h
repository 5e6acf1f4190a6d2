/* SPDX-License-Identifier: Apache-2.0
 *
 * Extensions of the virtual GPU. A program looks these functions up with dlsym(RTLD_DEFAULT, ...), so that the same
 * binary also runs on a GPU, where they do not exist. */
#ifndef VGPU_H
#define VGPU_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Returns 1. Programs may as well test whether the symbol exists. */
int vgpu_is_virtual(void);

/* Returns the counters of exec/counters.h as one JSON object, summed over all launches that have run since the process
 * began or since the last reset. Pending launches are not included, so synchronise first. The text is valid until the
 * same thread calls this function again. */
void vgpu_counters_reset(void);
const char* vgpu_counters_json(void);

/* Returns how often the kernel with this mangled name has run since the last reset of the counters, or how often any
 * kernel has if the name is null. Work of vgpu_issue() counts as a kernel, here and in the counters. */
unsigned long long vgpu_launches(const char* name);

/* Return the number of calls of the CUDA runtime so far in which the host waited for the device (synchronisation of a
 * device, stream or event; blocking copies and fills, except within the device; cudaFree and similar calls), and the
 * number of calls that allocated device memory, pool memory or pinned host memory. */
unsigned long long vgpu_synchronizations(void);
unsigned long long vgpu_allocations(void);

/* Returns the number of calls so far that can fail without an error of the program: launches, allocations, copies,
 * fills, and calls on streams, events and graphs, except those that only query or release; also library calls in which
 * a stand-in called vgpu_fails_now(). */
unsigned long long vgpu_calls(void);

/* Makes the n-th such call from now on fail, where 1 is the next call and 0 means none. The failing call has no effect,
 * except that a capture which it should have ended does end. It returns cudaErrorMemoryAllocation for an allocation,
 * cudaErrorLaunchFailure for a launch, and otherwise cudaErrorUnknown. The following calls work again. */
void vgpu_fail_call(unsigned long long n);

/* ---- for stand-ins of libraries that compute on the GPU ---- */

/* Counts a call of the library. Returns a nonzero value if this call has to fail. */
int vgpu_fails_now(void);

typedef struct vgpu_range_t {
  const void* address;
  size_t bytes;
  int written; /* 0: read; 1: written; 2: both, where a value is read and then overwritten */
} vgpu_range_t;

/* Submits work to a stream of the current device, or adds it to the graph that the stream is captured into, as a kernel
 * with this name. run(argument) is called when the work is executed: possibly never, in another thread, or once for
 * each launch of a graph. release(argument) is called once, after the last call of run, or not at all if the process
 * ends earlier. Neither may call the CUDA runtime.
 *
 * The ranges declare what the work reads and writes. They are checked before the work runs, like accesses of a kernel:
 * they must be in valid memory that the device can access, ranges that are read must be initialised, and no range may
 * overlap with a written one. An error is reported like one of a kernel and becomes the device's error. Written ranges
 * count as initialised from then on. Empty ranges are ignored.
 *
 * Returns a cudaError_t. On an error, release has been called. vgpu_fail_call() does not count this call. */
int vgpu_issue(void* stream, const char* name, const vgpu_range_t* ranges, size_t count, void (*run)(void*),
               void (*release)(void*), void* argument);

/* Returns the host address of bytes in device memory, valid while the work runs, or null if not all of the bytes are in
 * memory that the device can access. */
void* vgpu_bytes(const void* address, size_t count);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

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

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

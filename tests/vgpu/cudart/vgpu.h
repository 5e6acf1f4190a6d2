/* SPDX-License-Identifier: Apache-2.0
 *
 * What the virtual GPU offers beyond CUDA. A program finds these with dlsym(RTLD_DEFAULT, ...), so that the same binary runs
 * on a GPU, where they are not there. */
#ifndef VGPU_H
#define VGPU_H

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

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

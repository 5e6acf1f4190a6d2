/* SPDX-License-Identifier: Apache-2.0
 *
 * Extensions of the stand-in for cuBLAS, which programs look up like those of cudart/vgpu.h. */
#ifndef VGPU_CUBLAS_H
#define VGPU_CUBLAS_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Returns the number of products so far on handles whose workspace was not set after their stream. Such products are
 * allowed, but during a capture the library would allocate a workspace for each graph. */
unsigned long long vgpu_cublas_without_workspace(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

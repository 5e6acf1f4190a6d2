/* SPDX-License-Identifier: Apache-2.0
 *
 * What the stand-in for cuBLAS offers beyond it, to be found as the functions of cudart/vgpu.h are. */
#ifndef VGPU_CUBLAS_H
#define VGPU_CUBLAS_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Products so far of handles whose workspace the program had not set since it last set their stream: allowed, but in a capture
 * the library would allocate one for each graph. */
unsigned long long vgpu_cublas_without_workspace(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

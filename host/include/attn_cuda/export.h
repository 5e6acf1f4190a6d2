/* SPDX-License-Identifier: Apache-2.0
 *
 * ATTN_API marks the functions that the two libraries export; all other symbols are hidden. ATTN_INT gives an enum the
 * underlying type int in C++, as it has in C, so that a value outside the enum can be rejected instead of being
 * undefined behaviour. */
#ifndef ATTN_CUDA_EXPORT_H
#define ATTN_CUDA_EXPORT_H

#if defined(_WIN32)
#if defined(ATTN_BUILDING)
#define ATTN_API __declspec(dllexport)
#else
#define ATTN_API __declspec(dllimport)
#endif
#else
#define ATTN_API __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
#define ATTN_INT : int
#else
#define ATTN_INT
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * ATTN_API marks what the two libraries export; everything else is built hidden. ATTN_INT makes an enum hold any int in
 * C++ as it does in C, so that a wrong value can be refused instead of being undefined. */
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

/* SPDX-License-Identifier: Apache-2.0
 *
 * ATTN_API marks what the two libraries export; everything else is built hidden. */
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

#endif

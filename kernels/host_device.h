// SPDX-License-Identifier: Apache-2.0
#pragma once

// Marks a function that both the CPU and the GPU run.
#ifdef __CUDACC__
#define ATTN_HOST_DEVICE __host__ __device__
#else
#define ATTN_HOST_DEVICE
#endif

// SPDX-License-Identifier: Apache-2.0
//
// Memory whose release is still pending is freed before an allocation is allowed to fail.
#include <gtest/gtest.h>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

TEST(MemoryTest, WhatStreamsStillHaveToFreeIsNotLost) {
  runtime().heap.set_limit(1000);
  cudaStream_t first = nullptr, second = nullptr;
  ASSERT_EQ(cudaStreamCreate(&first), cudaSuccess);
  ASSERT_EQ(cudaStreamCreate(&second), cudaSuccess);
  void *pooled = nullptr, *again = nullptr, *plain = nullptr;
  EXPECT_EQ(cudaMallocAsync(&pooled, 600, first), cudaSuccess);
  EXPECT_EQ(cudaMallocAsync(&again, 600, second), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaFreeAsync(pooled, first), cudaSuccess);
  EXPECT_EQ(cudaMallocAsync(&again, 600, second), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(again, second), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&plain, 600), cudaSuccess);
  EXPECT_EQ(cudaFree(plain), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(first), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(second), cudaSuccess);
}

}  // namespace
}  // namespace vgpu::cudart

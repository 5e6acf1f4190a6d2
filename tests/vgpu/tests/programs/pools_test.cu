// SPDX-License-Identifier: Apache-2.0
//
// Tests memory that is allocated and freed in stream order.
#include "support.h"

namespace programs::pools_test {

TEST(Pools, AllocateAndFreeInOrder) {
  const Stream stream;
  const PinnedInts host;
  int* values = nullptr;
  EXPECT_EQ(cudaMallocAsync(&values, kBytes, stream), cudaSuccess);
  launch_fill(values, 3, stream);
  EXPECT_EQ(cudaMemcpyAsync(host, values, kBytes, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  cudaMemPool_t pool = nullptr;
  unsigned long long used = 0;
  EXPECT_EQ(cudaDeviceGetMemPool(&pool, 0), cudaSuccess);
  EXPECT_EQ(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used), cudaSuccess);
  EXPECT_GE(used, kBytes);
  EXPECT_EQ(cudaFreeAsync(values, stream), cudaSuccess);
  EXPECT_EQ(cudaFreeAsync(values, stream), cudaErrorInvalidValue);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(host.values(), all(3));
}

TEST(Pools, OutliveTheirDestructionWhileTheyAreInUse) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, 0};
  cudaMemPool_t pool = nullptr;
  int* values = nullptr;
  const Stream stream;
  EXPECT_EQ(cudaMemPoolCreate(&pool, &properties), cudaSuccess);
  EXPECT_EQ(cudaMallocFromPoolAsync(&values, kBytes, pool, stream), cudaSuccess);
  EXPECT_EQ(cudaMemPoolDestroy(pool), cudaSuccess);
  launch_fill(values, 3, stream);
  EXPECT_EQ(cudaFreeAsync(values, stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  if (is_virtual())  // a driver may crash
    EXPECT_EQ(cudaMallocFromPoolAsync(&values, kBytes, pool, stream), cudaErrorInvalidValue);
}

}  // namespace programs::pools_test

// SPDX-License-Identifier: Apache-2.0
//
//   out_cr = in_rc
//
// of several matrices in one launch: the weights of an LSTM, one matrix per gate, between our layout in fp32 and
// cuDNN's in the type of the activations, to which they are rounded.
//
// Grid and block: blockIdx.y is the matrix; one block of 256 threads per tile of 32 x 32 elements, which passes through
//   shared memory so that reads and writes are both coalesced.
// Shared memory: 4 KB; the tile's stride of 33 avoids bank conflicts. Registers: not limiting.
// Bytes: each element of each matrix read and written once.
// Work: none.
// Limit: memory bandwidth; for small matrices the latency of the launch.
#include "kernels/device/grid.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/device/vec4.cuh"
#include "kernels/encoder.h"

namespace attn::kernels {
namespace {

constexpr int kEdge = kLanes;  // of a tile
constexpr int kTileRows = 8;   // moved at a time, one by each warp

__host__ __device__ Index tiles_along(Index extent) { return (extent + kEdge - 1) / kEdge; }

template <class In, class Out>
__global__ void __launch_bounds__(kEdge* kTileRows) transposes_kernel(const Transposes<In, Out> p) {
  __shared__ float tile[kEdge][kEdge + 1];
  const Transpose<In, Out>& matrix = p.matrices[blockIdx.y];
  const Index across = tiles_along(matrix.columns), tiles = tiles_along(matrix.rows) * across;
  for_each_work_item(tiles, [&](Index item) {
    const Index row = item / across * kEdge, column = item % across * kEdge;
    for (int r = warp_index(); r < kEdge; r += kTileRows)
      if (row + r < matrix.rows && column + lane_index() < matrix.columns)
        tile[r][lane_index()] = to_float(matrix.in[(row + r) * matrix.in_stride + column + lane_index()]);
    __syncthreads();
    for (int c = warp_index(); c < kEdge; c += kTileRows)
      if (column + c < matrix.columns && row + lane_index() < matrix.rows)
        store(tile[lane_index()][c], matrix.out + (column + c) * matrix.out_stride + row + lane_index());
    __syncthreads();
  });
}

}  // namespace

template <class In, class Out>
cudaError_t launch_transposes(const Transposes<In, Out>& params, cudaStream_t stream) {
  Index most_tiles = 0;
  for (int i = 0; i < params.count; ++i) {
    const Transpose<In, Out>& matrix = params.matrices[i];
    most_tiles = std::max(most_tiles, tiles_along(matrix.rows) * tiles_along(matrix.columns));
  }
  if (most_tiles == 0) return cudaSuccess;
  const dim3 grid(blocks_for(most_tiles), static_cast<unsigned>(params.count));
  transposes_kernel<<<grid, kEdge * kTileRows, 0, stream>>>(params);
  return cudaGetLastError();
}

template cudaError_t launch_transposes(const Transposes<float, float>&, cudaStream_t);
template cudaError_t launch_transposes(const Transposes<float, __half>&, cudaStream_t);
template cudaError_t launch_transposes(const Transposes<float, __nv_bfloat16>&, cudaStream_t);
template cudaError_t launch_transposes(const Transposes<__half, float>&, cudaStream_t);
template cudaError_t launch_transposes(const Transposes<__nv_bfloat16, float>&, cudaStream_t);

}  // namespace attn::kernels

// SPDX-License-Identifier: Apache-2.0
//
// Prints how many thread instructions one core executes per second on the virtual GPU, for three kernels: arithmetic
// only, shared memory, and global memory. VGPU_CHECKS selects the checks.
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "cudart/vgpu.h"

namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 64;
constexpr int kRows = 32;

__global__ void arithmetic(float* out, int steps) {
  float a = threadIdx.x, b = 1.0f;
  for (int i = 0; i < steps; ++i) {
    a = fmaf(a, 0.999f, b);
    b = fmaf(b, 0.998f, a);
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = a + b;
}

// Each thread reads what other threads wrote, one tile at a time.
__global__ void shared_memory(float* out, int steps) {
  __shared__ float tile[kThreads];
  float sum = 0;
  for (int i = 0; i < steps; ++i) {
    tile[threadIdx.x] = sum + i;
    __syncthreads();
    for (int k = 0; k < 16; ++k) sum += tile[(threadIdx.x + k) % kThreads];
    __syncthreads();
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

// Each thread reads its own elements with a stride, so that the accesses of a warp are coalesced.
__global__ void global_memory(float* out, int steps) {
  const int threads = gridDim.x * blockDim.x;
  float* mine = out + blockIdx.x * blockDim.x + threadIdx.x;
  for (int i = 0; i < steps; ++i) mine[i % kRows * threads] = i;
  float sum = 0;
  for (int i = 0; i < steps; ++i) sum += mine[(i < kRows ? i : i % kRows) * threads];
  *mine = sum;
}

// Returns the thread instructions of all pipes.
double thread_instructions() {
  const auto json = reinterpret_cast<decltype(&vgpu_counters_json)>(dlsym(RTLD_DEFAULT, "vgpu_counters_json"));
  const std::string text = json();
  std::size_t at = text.find("\"thread_instructions\"");
  const std::size_t end = text.find('}', at);
  double sum = 0;
  while ((at = text.find(": ", at)) < end) sum += std::strtod(text.c_str() + (at += 2), nullptr);
  return sum;
}

void measure(const char* name, void (*kernel)(float*, int), float* out, int steps) {
  kernel<<<kBlocks, kThreads>>>(out, 1);
  cudaDeviceSynchronize();
  const double before = thread_instructions();
  const std::clock_t start = std::clock();  // CPU time of all cores
  kernel<<<kBlocks, kThreads>>>(out, steps);
  const cudaError_t outcome = cudaDeviceSynchronize();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%-16s %8.1f million thread instructions per second and core (%s)\n", name,
              (thread_instructions() - before) / seconds * 1e-6, cudaGetErrorString(outcome));
}

}  // namespace

int main() {
  if (dlsym(RTLD_DEFAULT, "vgpu_is_virtual") == nullptr) {
    std::puts("This measures the virtual GPU, which is not on the library path.");
    return 0;
  }
  float* out = nullptr;
  cudaMalloc(&out, kRows * kBlocks * kThreads * sizeof(float));
  measure("arithmetic", arithmetic, out, 2000);
  measure("shared memory", shared_memory, out, 50);
  measure("global memory", global_memory, out, 200);
  cudaFree(out);
}

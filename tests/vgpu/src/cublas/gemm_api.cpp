// SPDX-License-Identifier: Apache-2.0
//
// The matrix products of cuBLAS: four functions that differ in what the caller can choose.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "cublas/context.h"
#include "cublas/product.h"
#include "cublas/types.h"
#include "cublas/vgpu_cublas.h"

namespace vgpu::cublas {
namespace {

// With a smaller workspace the library may not be able to run every product.
constexpr std::size_t kLeastWorkspace = std::size_t{16} << 10;

std::atomic<unsigned long long> without_workspace{0};

bool is_captured(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(stream, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone;
}

// During a capture the library would allocate its own workspace, one for each graph.
void take_workspace(const Context& context, Product& product) {
  if (context.workspace != nullptr) {
    require(context.workspace_bytes >= kLeastWorkspace, CUBLAS_STATUS_ALLOC_FAILED);
    product.workspace = context.workspace;
    product.workspace_bytes = context.workspace_bytes;
    return;
  }
  ++without_workspace;
  if (is_captured(context.stream))
    refuse(std::string(product.name) + " in a capture, on a handle with no workspace of the program,");
  product.workspace = context.own_workspace;
  product.workspace_bytes = kLeastWorkspace;
}

struct Arguments {
  const char* name;
  cublasOperation_t operation_a, operation_b;
  int m, n, k;
  const void *alpha, *beta;
  const void* a;
  cudaDataType type_a;
  int ld_a;
  long long stride_a;
  const void* b;
  cudaDataType type_b;
  int ld_b;
  long long stride_b;
  void* c;
  cudaDataType type_c;
  int ld_c;
  long long stride_c;
  int batch;
};

// Returns the matrix as stored, before transposition.
Matrix factor(const void* data, cudaDataType type, int rows, int columns, bool transposed, int ld, long long stride) {
  if (transposed) std::swap(rows, columns);
  require(ld >= std::max(1, rows));
  return {data, type, rows, columns, ld, false, stride};
}

Product product_of(const Context& context, const Arguments& of) {
  Product product;
  product.name = of.name;
  product.transpose_a = is_transposed(of.operation_a);
  product.transpose_b = is_transposed(of.operation_b);
  require(of.m >= 0 && of.n >= 0 && of.k >= 0 && of.batch >= 0);
  product.a = factor(of.a, of.type_a, of.m, of.k, product.transpose_a, of.ld_a, of.stride_a);
  product.b = factor(of.b, of.type_b, of.k, of.n, product.transpose_b, of.ld_b, of.stride_b);
  product.c = factor(of.c, of.type_c, of.m, of.n, false, of.ld_c, of.stride_c);
  product.d = product.c;
  product.k = of.k;
  product.batch = of.batch;
  const bool on_device = context.pointers == CUBLAS_POINTER_MODE_DEVICE;
  product.alpha = scalar_of(of.alpha, on_device);
  product.beta = scalar_of(of.beta, on_device);
  require_types(of.type_a, of.type_b, of.type_c, of.type_c);
  require_pointers(product);
  return product;
}

void multiply_now(const Context& context, const Arguments& of) {
  Product product = product_of(context, of);
  take_workspace(context, product);
  issue(product, context.stream);
}

cublasStatus_t gemm(cublasHandle_t handle, const Arguments& of) {
  return fallible_call(CUBLAS_STATUS_EXECUTION_FAILED, [&] { multiply_now(context_of(handle), of); });
}

// This variant also lets the caller choose the compute type.
cublasStatus_t gemm(cublasHandle_t handle, const Arguments& of, cublasComputeType_t compute,
                    cublasGemmAlgo_t algorithm) {
  return fallible_call(CUBLAS_STATUS_EXECUTION_FAILED, [&] {
    const Context& context = context_of(handle);
    require_fp32(compute);
    const bool is_known = algorithm == CUBLAS_GEMM_AUTOTUNE ||
                          (algorithm >= CUBLAS_GEMM_DEFAULT && algorithm <= CUBLAS_GEMM_ALGO23) ||
                          (algorithm >= CUBLAS_GEMM_DEFAULT_TENSOR_OP && algorithm <= CUBLAS_GEMM_ALGO15_TENSOR_OP);
    require(is_known);
    multiply_now(context, of);
  });
}

}  // namespace
}  // namespace vgpu::cublas

using namespace vgpu::cublas;

unsigned long long vgpu_cublas_without_workspace(void) { return without_workspace; }

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t operation_a, cublasOperation_t operation_b,
                              int m, int n, int k, const float* alpha, const float* a, int ld_a, const float* b,
                              int ld_b, const float* beta, float* c, int ld_c) {
  return gemm(handle,
              {"cublasSgemm", operation_a, operation_b, m, n,          k,    alpha, beta, a, CUDA_R_32F, ld_a, 0, b,
               CUDA_R_32F,    ld_b,        0,           c, CUDA_R_32F, ld_c, 0,     1});
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t operation_a,
                                         cublasOperation_t operation_b, int m, int n, int k, const float* alpha,
                                         const float* a, int ld_a, long long stride_a, const float* b, int ld_b,
                                         long long stride_b, const float* beta, float* c, int ld_c, long long stride_c,
                                         int batch) {
  return gemm(handle, {"cublasSgemmStridedBatched",
                       operation_a,
                       operation_b,
                       m,
                       n,
                       k,
                       alpha,
                       beta,
                       a,
                       CUDA_R_32F,
                       ld_a,
                       stride_a,
                       b,
                       CUDA_R_32F,
                       ld_b,
                       stride_b,
                       c,
                       CUDA_R_32F,
                       ld_c,
                       stride_c,
                       batch});
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t operation_a, cublasOperation_t operation_b, int m,
                            int n, int k, const void* alpha, const void* a, cudaDataType type_a, int ld_a,
                            const void* b, cudaDataType type_b, int ld_b, const void* beta, void* c,
                            cudaDataType type_c, int ld_c, cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
  return gemm(handle, {"cublasGemmEx", operation_a, operation_b, m, n,      k,    alpha, beta, a, type_a, ld_a, 0, b,
                       type_b,         ld_b,        0,           c, type_c, ld_c, 0,     1},
              compute, algorithm);
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t operation_a,
                                          cublasOperation_t operation_b, int m, int n, int k, const void* alpha,
                                          const void* a, cudaDataType type_a, int ld_a, long long stride_a,
                                          const void* b, cudaDataType type_b, int ld_b, long long stride_b,
                                          const void* beta, void* c, cudaDataType type_c, int ld_c, long long stride_c,
                                          int batch, cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
  return gemm(handle,
              {"cublasGemmStridedBatchedEx",
               operation_a,
               operation_b,
               m,
               n,
               k,
               alpha,
               beta,
               a,
               type_a,
               ld_a,
               stride_a,
               b,
               type_b,
               ld_b,
               stride_b,
               c,
               type_c,
               ld_c,
               stride_c,
               batch},
              compute, algorithm);
}

// SPDX-License-Identifier: Apache-2.0
//
// cuBLAS handles and their settings.
#include <cuda_runtime_api.h>

#include "cublas/context.h"
#include "cublas/types.h"

namespace vgpu::cublas {
namespace {

constexpr std::size_t kOwnWorkspace = std::size_t{4} << 20;

void require_math_mode(unsigned mode) {
  switch (mode & ~unsigned{CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION}) {
    case CUBLAS_DEFAULT_MATH:
    case CUBLAS_TENSOR_OP_MATH:
    case CUBLAS_PEDANTIC_MATH:
    case CUBLAS_TF32_TENSOR_OP_MATH:
    case CUBLAS_FP32_EMULATED_BF16X9_MATH:
    case CUBLAS_FP64_EMULATED_FIXEDPOINT_MATH:
      return;
    default:
      fail(CUBLAS_STATUS_INVALID_VALUE);
  }
}

template <class Value>
cublasStatus_t get(cublasHandle_t handle, Value Context::*member, Value* value) {
  return call([&] {
    const Context& context = context_of(handle);
    require(value != nullptr);
    *value = context.*member;
  });
}

}  // namespace
}  // namespace vgpu::cublas

using namespace vgpu::cublas;

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  return fallible_call(CUBLAS_STATUS_NOT_INITIALIZED, [&] {
    require(handle != nullptr);
    auto context = std::make_unique<Context>();
    require(cudaGetDevice(&context->device) == cudaSuccess, CUBLAS_STATUS_NOT_INITIALIZED);
    require(cudaMalloc(&context->own_workspace, kOwnWorkspace) == cudaSuccess, CUBLAS_STATUS_ALLOC_FAILED);
    *handle = handles<Context>().add(std::move(context));
  });
}

// Waits for the device, since freeing the handle's workspace with cudaFree does so.
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  return call([&] {
    cudaFree(context_of(handle).own_workspace);
    handles<Context>().remove(handle);
  });
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version) {
  return call([&] {
    require(version != nullptr);
    *version = CUBLAS_VERSION;
  });
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
  return call([&] { get_property(type, value); });
}

std::size_t cublasGetCudartVersion() { return CUDART_VERSION; }

const char* cublasGetStatusName(cublasStatus_t status) { return name_of(status); }

const char* cublasGetStatusString(cublasStatus_t status) { return words_of(status); }

// Resets the workspace that the program has set, as documented.
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  return call([&] {
    Context& context = context_of(handle);
    context.stream = stream;
    context.workspace = nullptr;
    context.workspace_bytes = 0;
  });
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream) {
  return get(handle, &Context::stream, stream);
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  return call([&] {
    Context& context = context_of(handle);
    require_workspace(workspace, bytes);
    context.workspace = workspace;
    context.workspace_bytes = bytes;
  });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  return call([&] {
    Context& context = context_of(handle);
    require_math_mode(mode);
    context.math = mode;
  });
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  return get(handle, &Context::math, mode);
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode) {
  return call([&] {
    Context& context = context_of(handle);
    require(mode == CUBLAS_POINTER_MODE_HOST || mode == CUBLAS_POINTER_MODE_DEVICE);
    context.pointers = mode;
  });
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode) {
  return get(handle, &Context::pointers, mode);
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode) {
  return call([&] {
    Context& context = context_of(handle);
    require(mode == CUBLAS_ATOMICS_NOT_ALLOWED || mode == CUBLAS_ATOMICS_ALLOWED);
    context.atomics = mode;
  });
}

cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode) {
  return get(handle, &Context::atomics, mode);
}

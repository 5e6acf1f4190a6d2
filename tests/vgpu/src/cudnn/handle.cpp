// SPDX-License-Identifier: Apache-2.0
#include "cudnn/handle.h"

#include "cudnn/cudnn_api.h"

using namespace vgpu::cudnn;

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return outcome_of([&] {
    require(handle != nullptr, "handle");
    may_fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
    auto made = std::make_unique<cudnnContext>();
    require(cudaGetDevice(&made->device) == cudaSuccess, "no device", CUDNN_STATUS_NOT_INITIALIZED);
    *handle = Registered<cudnnContext>::add(std::move(made));
  });
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return outcome_of([&] { Registered<cudnnContext>::remove(handle, "handle"); });
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  return outcome_of([&] {
    cudnnContext& context = at(handle);
    int device = context.device;
    require(cudaStreamGetDevice(stream, &device) == cudaSuccess, "stream");
    require(device == context.device, "the stream is another device's", CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH);
    context.stream = stream;
  });
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* stream) {
  return outcome_of([&] {
    require(stream != nullptr, "stream");
    *stream = at(handle).stream;
  });
}

std::size_t cudnnGetVersion() { return CUDNN_VERSION; }

std::size_t cudnnGetCudartVersion() { return CUDART_VERSION; }

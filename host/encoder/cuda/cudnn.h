// SPDX-License-Identifier: Apache-2.0
//
// Owners of cuDNN objects, and the translation of types and statuses.
#pragma once

#include <cudnn.h>

#include <memory>
#include <string>

#include "base/failure.h"

namespace attn::internal::cuda {

inline void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const bool no_memory = status == CUDNN_STATUS_ALLOC_FAILED ||
                         status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                         status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  throw Failure(no_memory ? ATTN_OUT_OF_MEMORY : ATTN_LIBRARY_ERROR,
                std::string(call) + ": " + cudnnGetErrorString(status));
}

inline cudnnDataType_t data_type(attn_dtype_t dtype) {
  return dtype == ATTN_DTYPE_FP32 ? CUDNN_DATA_FLOAT : dtype == ATTN_DTYPE_FP16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
}

// Object is a pointer type that create() initialises and destroy() frees.
template <class Object, cudnnStatus_t (*create)(Object*), cudnnStatus_t (*destroy)(Object)>
class CudnnObject {
 public:
  explicit CudnnObject(const char* call) {
    Object object = nullptr;
    check(create(&object), call);
    object_.reset(object);
  }
  Object get() const { return object_.get(); }

 private:
  struct Destroy {
    using pointer = Object;
    void operator()(Object object) const { destroy(object); }
  };
  std::unique_ptr<Object, Destroy> object_;
};

struct CudnnHandle : CudnnObject<cudnnHandle_t, cudnnCreate, cudnnDestroy> {
  CudnnHandle() : CudnnObject("cudnnCreate") {}
};
struct RnnDescriptor : CudnnObject<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor, cudnnDestroyRNNDescriptor> {
  RnnDescriptor() : CudnnObject("cudnnCreateRNNDescriptor") {}
};
struct RnnDataDescriptor
    : CudnnObject<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor, cudnnDestroyRNNDataDescriptor> {
  RnnDataDescriptor() : CudnnObject("cudnnCreateRNNDataDescriptor") {}
};
struct TensorDescriptor
    : CudnnObject<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor> {
  TensorDescriptor() : CudnnObject("cudnnCreateTensorDescriptor") {}
};
struct DropoutDescriptor
    : CudnnObject<cudnnDropoutDescriptor_t, cudnnCreateDropoutDescriptor, cudnnDestroyDropoutDescriptor> {
  DropoutDescriptor() : CudnnObject("cudnnCreateDropoutDescriptor") {}
};

}  // namespace attn::internal::cuda

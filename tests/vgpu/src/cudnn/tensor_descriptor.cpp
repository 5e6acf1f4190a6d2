// SPDX-License-Identifier: Apache-2.0
#include "cudnn/tensor_descriptor.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

using namespace vgpu::cudnn;

bool cudnnTensorStruct::is_packed() const { return strides == packed_tensor(type, extents).strides; }

namespace vgpu::cudnn {

cudnnTensorStruct packed_tensor(cudnnDataType_t type, std::vector<int> extents) {
  cudnnTensorStruct tensor{type, std::move(extents), {}};
  tensor.strides.assign(tensor.extents.size(), 1);
  for (std::size_t i = tensor.extents.size(); i-- > 1;) tensor.strides[i - 1] = tensor.strides[i] * tensor.extents[i];
  return tensor;
}

namespace {

void check(const cudnnTensorStruct& tensor) {
  require(tensor.type >= CUDNN_DATA_FLOAT && tensor.type <= CUDNN_DATA_BFLOAT16, "dataType");
  std::int64_t span = 1;  // elements from the first to the last, inclusive
  for (std::size_t i = 0; i < tensor.extents.size(); ++i) {
    require(tensor.extents[i] > 0, "dimA");
    require(tensor.strides[i] != 0, "strideA");
    span += (std::int64_t{tensor.extents[i]} - 1) * std::abs(std::int64_t{tensor.strides[i]});
  }
  require(span <= std::numeric_limits<int>::max(), "too many elements", CUDNN_STATUS_NOT_SUPPORTED);
}

}  // namespace
}  // namespace vgpu::cudnn

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) { return create(descriptor); }

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  return outcome_of([&] { Registered<cudnnTensorStruct>::remove(descriptor, "tensor descriptor"); });
}

cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t descriptor, cudnnDataType_t type, int count,
                                         const int* extents, const int* strides) {
  return outcome_of([&] {
    cudnnTensorStruct& tensor = at(descriptor);
    require(count >= 2, "nbDims");
    require(count <= CUDNN_DIM_MAX, "nbDims", CUDNN_STATUS_NOT_SUPPORTED);
    require(extents != nullptr && strides != nullptr, "dimA, strideA");
    cudnnTensorStruct wanted{type, {extents, extents + count}, {strides, strides + count}};
    check(wanted);
    tensor = std::move(wanted);
  });
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  return outcome_of([&] {
    cudnnTensorStruct& tensor = at(descriptor);
    if (format == CUDNN_TENSOR_NCHW_VECT_C) refuse("CUDNN_TENSOR_NCHW_VECT_C");
    require(format == CUDNN_TENSOR_NCHW || format == CUDNN_TENSOR_NHWC, "format");
    require(n > 0 && c > 0 && h > 0 && w > 0, "n, c, h, w");
    cudnnTensorStruct wanted = packed_tensor(type, {n, c, h, w});
    if (format == CUDNN_TENSOR_NHWC) wanted.strides = {h * w * c, 1, w * c, c};
    check(wanted);
    tensor = std::move(wanted);
  });
}

cudnnStatus_t cudnnGetTensorNdDescriptor(cudnnTensorDescriptor_t descriptor, int requested, cudnnDataType_t* type,
                                         int* count, int* extents, int* strides) {
  return outcome_of([&] {
    const cudnnTensorStruct& tensor = at(descriptor);
    require(type != nullptr && count != nullptr && extents != nullptr && strides != nullptr, "where to put the answer");
    *type = tensor.type;
    *count = static_cast<int>(tensor.extents.size());
    const auto copied = std::max(0, std::min(requested, *count));
    std::copy_n(tensor.extents.begin(), copied, extents);
    std::copy_n(tensor.strides.begin(), copied, strides);
  });
}

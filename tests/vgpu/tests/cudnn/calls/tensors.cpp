// SPDX-License-Identifier: Apache-2.0
#include <climits>

#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

void try_set(const std::string& what, int type, int count, const std::vector<int>& extents,
             const std::vector<int>& strides) {
  cudnnTensorDescriptor_t descriptor = make_tensor(CUDNN_DATA_HALF, {2, 3});
  const cudnnStatus_t answer =
      cudnnSetTensorNdDescriptor(descriptor, static_cast<cudnnDataType_t>(type), count, extents.data(), strides.data());
  print("tensor of " + what, answer, describe(descriptor));
  cudnnDestroyTensorDescriptor(descriptor);
}

void try_get(int requested) {
  cudnnTensorDescriptor_t descriptor = make_tensor(CUDNN_DATA_FLOAT, {2, 3, 4, 5});
  cudnnDataType_t type{};
  int count = 0;
  std::vector<int> extents(CUDNN_DIM_MAX + 2, -7), strides(CUDNN_DIM_MAX + 2, -7);
  const cudnnStatus_t answer =
      cudnnGetTensorNdDescriptor(descriptor, requested, &type, &count, extents.data(), strides.data());
  print("get " + std::to_string(requested) + " extents of four", answer,
        std::to_string(count) + ": " + list(extents) + ", " + list(strides));
  cudnnDestroyTensorDescriptor(descriptor);
}

void try_images() {
  cudnnTensorDescriptor_t descriptor = make_tensor(CUDNN_DATA_HALF, {2, 3});
  for (int format = -1; format < 4; ++format) {
    if (format == CUDNN_TENSOR_NCHW_VECT_C) continue;
    const cudnnStatus_t answer =
        cudnnSetTensor4dDescriptor(descriptor, static_cast<cudnnTensorFormat_t>(format), CUDNN_DATA_FLOAT, 2, 3, 4, 5);
    print("images of format " + std::to_string(format), answer, describe(descriptor));
  }
  for (const auto& extents : std::vector<std::vector<int>>{{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, -1, 1}, {1, 1, 1, 0}}) {
    print("images of " + list(extents), cudnnSetTensor4dDescriptor(descriptor, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT,
                                                                   extents[0], extents[1], extents[2], extents[3]));
  }
  print("images, no descriptor", cudnnSetTensor4dDescriptor(nullptr, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, 1, 1, 1));
}

}  // namespace

void try_tensors() {
  print("create a tensor at null", cudnnCreateTensorDescriptor(nullptr));
  print("destroy no tensor", cudnnDestroyTensorDescriptor(nullptr));
  cudnnTensorDescriptor_t fresh{};
  print("create a tensor", cudnnCreateTensorDescriptor(&fresh));
  print("a new tensor", CUDNN_STATUS_SUCCESS, describe(fresh));
  const std::vector<int> nine(9, 1);
  for (int count = -1; count < 10; ++count)
    try_set(std::to_string(count) + " dimensions", CUDNN_DATA_FLOAT, count, nine, nine);
  for (int type = -1; type < 23; ++type) try_set("type " + std::to_string(type), type, 3, {2, 3, 4}, {12, 4, 1});
  for (const int wrong : {0, -1, INT_MIN}) {
    try_set("extent " + std::to_string(wrong), CUDNN_DATA_FLOAT, 3, {2, wrong, 4}, {12, 4, 1});
    try_set("stride " + std::to_string(wrong), CUDNN_DATA_FLOAT, 3, {2, 3, 4}, {12, wrong, 1});
  }
  try_set("overlapping strides", CUDNN_DATA_FLOAT, 3, {2, 3, 4}, {1, 1, 1});
  try_set("transposed strides", CUDNN_DATA_FLOAT, 3, {2, 3, 4}, {1, 2, 6});
  try_set("gaps", CUDNN_DATA_FLOAT, 3, {2, 3, 4}, {24, 8, 2});
  try_set("2^31 - 1 elements", CUDNN_DATA_FLOAT, 3, {1, 1, INT_MAX}, {INT_MAX, INT_MAX, 1});
  try_set("2^31 elements", CUDNN_DATA_FLOAT, 3, {2, 1 << 15, 1 << 15}, {1 << 30, 1 << 15, 1});
  try_set("2^40 elements", CUDNN_DATA_FLOAT, 3, {1 << 10, 1 << 15, 1 << 15}, {1 << 30, 1 << 15, 1});
  print("set no tensor", cudnnSetTensorNdDescriptor(nullptr, CUDNN_DATA_FLOAT, 3, nine.data(), nine.data()));
  for (int requested = -1; requested < 10; ++requested) try_get(requested);
  try_images();
}

}  // namespace vgpu::calls

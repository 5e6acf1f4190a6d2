// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cudnn/calls/calls.h"

namespace vgpu::calls {

cudnnHandle_t handle() {
  // The memory is larger than the real library's handles. It is never freed, because the library may access it until
  // exit.
  static cudnnHandle_t made = [] {
    cudnnHandle_t handle = nullptr;
    if (cudnnCreate(&handle) != CUDNN_STATUS_SUCCESS) {
      handle = static_cast<cudnnHandle_t>(std::calloc(1, std::size_t{1} << 22));
    }
    return handle;
  }();
  return made;
}

void print(const std::string& call, cudnnStatus_t answer, const std::string& result) {
  std::cout << call << ": " << cudnnGetErrorString(answer);
  if (answer == CUDNN_STATUS_SUCCESS && !result.empty()) std::cout << ' ' << result;
  std::cout << std::endl;
}

void print_checked(const std::string& call, cudnnStatus_t answer) {
  const bool passed = answer == CUDNN_STATUS_SUCCESS || answer == CUDNN_STATUS_EXECUTION_FAILED_CUDART;
  std::cout << call << ": " << (passed ? "passes the checks" : cudnnGetErrorString(answer)) << std::endl;
}

std::string list(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

cudnnStatus_t RnnSettings::apply(cudnnRNNDescriptor_t descriptor) const {
  return cudnnSetRNNDescriptor_v8(descriptor, algo, cell, bias, direction, input, type, precision, math, input_size,
                                  hidden_size, projection_size, layers, dropout, flags);
}

cudnnStatus_t DataSettings::apply(cudnnRNNDataDescriptor_t descriptor) const {
  double fill = 0;
  return cudnnSetRNNDataDescriptor(descriptor, type, layout, max_length, batch, width,
                                   lengths.empty() ? nullptr : lengths.data(), filled ? &fill : nullptr);
}

namespace {

void must(cudnnStatus_t answer) {
  if (answer == CUDNN_STATUS_SUCCESS) return;
  std::cerr << "a call that is always valid failed: " << cudnnGetErrorString(answer) << std::endl;
  std::exit(1);
}

}  // namespace

cudnnDropoutDescriptor_t no_dropout() {
  static cudnnDropoutDescriptor_t made = [] {
    cudnnDropoutDescriptor_t descriptor = nullptr;
    must(cudnnCreateDropoutDescriptor(&descriptor));
    must(cudnnSetDropoutDescriptor(descriptor, handle(), 0, nullptr, 0, 0));
    return descriptor;
  }();
  return made;
}

cudnnRNNDescriptor_t make_rnn(const RnnSettings& settings) {
  cudnnRNNDescriptor_t descriptor = nullptr;
  must(cudnnCreateRNNDescriptor(&descriptor));
  must(settings.apply(descriptor));
  return descriptor;
}

cudnnRNNDataDescriptor_t make_data(const DataSettings& settings) {
  cudnnRNNDataDescriptor_t descriptor = nullptr;
  must(cudnnCreateRNNDataDescriptor(&descriptor));
  must(settings.apply(descriptor));
  return descriptor;
}

cudnnTensorDescriptor_t make_tensor(cudnnDataType_t type, const std::vector<int>& extents, std::vector<int> strides) {
  if (strides.empty()) {
    strides.assign(extents.size(), 1);
    for (std::size_t i = extents.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * extents[i + 1];
  }
  cudnnTensorDescriptor_t descriptor = nullptr;
  must(cudnnCreateTensorDescriptor(&descriptor));
  must(cudnnSetTensorNdDescriptor(descriptor, type, static_cast<int>(extents.size()), extents.data(), strides.data()));
  return descriptor;
}

std::string describe(cudnnTensorDescriptor_t descriptor) {
  cudnnDataType_t type{};
  int count = 0;
  std::vector<int> extents(CUDNN_DIM_MAX), strides(CUDNN_DIM_MAX);
  must(cudnnGetTensorNdDescriptor(descriptor, CUDNN_DIM_MAX, &type, &count, extents.data(), strides.data()));
  extents.resize(static_cast<std::size_t>(count));
  strides.resize(static_cast<std::size_t>(count));
  return "type " + std::to_string(type) + " extents " + list(extents) + " strides " + list(strides);
}

}  // namespace vgpu::calls

// SPDX-License-Identifier: Apache-2.0
#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

std::string state_of(cudnnDropoutDescriptor_t descriptor) {
  float dropout = -7;
  void* states = nullptr;
  unsigned long long seed = 7;
  const cudnnStatus_t answer = cudnnGetDropoutDescriptor(descriptor, handle(), &dropout, &states, &seed);
  return std::string(cudnnGetErrorString(answer)) + " dropout " + std::to_string(dropout) + " states " +
         (states == nullptr ? "null" : "given") + " seed " + std::to_string(seed);
}

}  // namespace

void try_dropout() {
  print("create dropout at null", cudnnCreateDropoutDescriptor(nullptr));
  print("destroy no dropout", cudnnDestroyDropoutDescriptor(nullptr));
  cudnnDropoutDescriptor_t descriptor{};
  print("create dropout", cudnnCreateDropoutDescriptor(&descriptor));
  print("a new dropout", CUDNN_STATUS_SUCCESS, state_of(descriptor));
  for (const float dropout : {0.0f, 0.25f, 1.0f, -0.25f, 1.25f}) {
    const cudnnStatus_t answer = cudnnSetDropoutDescriptor(descriptor, handle(), dropout, nullptr, 0, 11);
    print("dropout " + std::to_string(dropout) + " without states", answer, state_of(descriptor));
  }
  print("set no dropout", cudnnSetDropoutDescriptor(nullptr, handle(), 0, nullptr, 0, 1));
  print("set dropout with no handle", cudnnSetDropoutDescriptor(descriptor, nullptr, 0, nullptr, 0, 1));
  int memory[4]{};
  for (const float dropout : {0.5f, -0.25f, 1.25f}) {
    const cudnnStatus_t answer = cudnnRestoreDropoutDescriptor(descriptor, handle(), dropout, memory, 1 << 28, 12);
    print("restore dropout " + std::to_string(dropout), answer, state_of(descriptor));
  }
  const cudnnStatus_t restored = cudnnRestoreDropoutDescriptor(descriptor, handle(), 0.5f, nullptr, 0, 13);
  print("restore dropout without states", restored, state_of(descriptor));
  print("restore no dropout", cudnnRestoreDropoutDescriptor(nullptr, handle(), 0, nullptr, 0, 1));
  print("restore dropout with no handle", cudnnRestoreDropoutDescriptor(descriptor, nullptr, 0, nullptr, 0, 1));
  float dropout = 0;
  void* states = nullptr;
  unsigned long long seed = 0;
  print("get no dropout", cudnnGetDropoutDescriptor(nullptr, handle(), &dropout, &states, &seed));
  print("get dropout with no handle", cudnnGetDropoutDescriptor(descriptor, nullptr, &dropout, &states, &seed));
  print("get dropout to null", cudnnGetDropoutDescriptor(descriptor, handle(), nullptr, nullptr, nullptr));
  std::size_t size = 0;
  print("size of states", cudnnDropoutGetStatesSize(handle(), &size));
  print("size of states with no handle", cudnnDropoutGetStatesSize(nullptr, &size));
  print("destroy dropout", cudnnDestroyDropoutDescriptor(descriptor));
}

}  // namespace vgpu::calls

// SPDX-License-Identifier: Apache-2.0
#include "cudnn/dropout_descriptor.h"

#include <cstring>

#include "cudnn/dropout_mask.h"
#include "cudnn/handle.h"
#include "cudnn/issue.h"

namespace vgpu::cudnn {
namespace {

struct StateInit {
  void* states;
  DropoutState value;

  static constexpr const char* kName = "cudnn_dropout_init";
  void run() { std::memcpy(host(states, sizeof value), &value, sizeof value); }
};

void set(cudnnDropoutStruct& descriptor, float dropout, void* states, std::size_t size, unsigned long long seed) {
  require(states == nullptr || size >= sizeof(DropoutState), "stateSizeInBytes");
  descriptor = {dropout, states, seed};
}

}  // namespace
}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* descriptor) { return create(descriptor); }

cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t descriptor) {
  return outcome_of([&] { Registered<cudnnDropoutStruct>::remove(descriptor, "dropout descriptor"); });
}

cudnnStatus_t cudnnDropoutGetStatesSize(cudnnHandle_t handle, std::size_t* size) {
  return outcome_of([&] {
    at(handle);
    require(size != nullptr, "sizeInBytes");
    *size = sizeof(DropoutState);
  });
}

// Like cuDNN, neither function checks the range of `dropout`.
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t descriptor, cudnnHandle_t handle, float dropout,
                                        void* states, std::size_t size, unsigned long long seed) {
  return outcome_of([&] {
    cudnnDropoutStruct& wanted = at(descriptor);
    const cudnnContext& context = at(handle);
    may_fail(CUDNN_STATUS_EXECUTION_FAILED);
    set(wanted, dropout, states, size, seed);
    if (states == nullptr) return;
    Ranges ranges;
    ranges.write(states, sizeof(DropoutState));
    issue(context, ranges, StateInit{states, {kDropoutMagic, seed, 0}});
  });
}

cudnnStatus_t cudnnRestoreDropoutDescriptor(cudnnDropoutDescriptor_t descriptor, cudnnHandle_t handle, float dropout,
                                            void* states, std::size_t size, unsigned long long seed) {
  return outcome_of([&] {
    cudnnDropoutStruct& wanted = at(descriptor);
    at(handle);
    set(wanted, dropout, states, size, seed);
  });
}

cudnnStatus_t cudnnGetDropoutDescriptor(cudnnDropoutDescriptor_t descriptor, cudnnHandle_t handle, float* dropout,
                                        void** states, unsigned long long* seed) {
  return outcome_of([&] {
    const cudnnDropoutStruct& now = at(descriptor);
    at(handle);
    require(dropout != nullptr && states != nullptr && seed != nullptr, "where to put the answer");
    *dropout = now.dropout;
    *states = now.states;
    *seed = now.seed;
  });
}

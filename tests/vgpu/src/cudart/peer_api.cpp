// SPDX-License-Identifier: Apache-2.0
//
// Access between devices. Each can access the memory of every other one after peer access has been enabled.
#include "cudart/copy.h"
#include "cudart/runtime.h"

using namespace vgpu::cudart;

cudaError_t cudaDeviceCanAccessPeer(int* can, int ordinal, int peer) {
  return outcome_of([&] {
    require(can != nullptr);
    *can = runtime().device(ordinal).ordinal != runtime().device(peer).ordinal ? 1 : 0;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  return call([&] {
    Device& device = runtime().current();
    require(flags == 0);
    require(runtime().device(peer).ordinal != device.ordinal, cudaErrorInvalidDevice);
    require(device.peers.insert(peer).second, cudaErrorPeerAccessAlreadyEnabled);
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return call([&] {
    runtime().device(peer);
    require(runtime().current().peers.erase(peer) == 1, cudaErrorPeerAccessNotEnabled);
  });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t count,
                                cudaStream_t stream) {
  return call([&] {
    runtime().device(to_device);
    runtime().device(from_device);
    issue_copy(stream_of(stream), linear_copy(to, from, count, cudaMemcpyDeviceToDevice), Blocking::kNo);
  });
}

// The copy is ordered after all work of both devices.
cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, std::size_t count) {
  return call([&] {
    require_safe_call();
    for (const int ordinal : {to_device, from_device}) runtime().engine.complete_all(runtime().device(ordinal).ordinal);
    issue_copy(stream_of(nullptr), linear_copy(to, from, count, cudaMemcpyDeviceToDevice), Blocking::kYes);
  });
}

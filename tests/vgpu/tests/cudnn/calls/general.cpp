// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cudnn/calls/calls.h"

namespace vgpu::calls {

void try_general() {
  std::cout << "version " << cudnnGetVersion() << ", CUDA " << cudnnGetCudartVersion() / 1000 << std::endl;
  for (int status = -1; status < 5006; ++status) {
    std::cout << status << ' ' << cudnnGetErrorString(static_cast<cudnnStatus_t>(status)) << std::endl;
    if (status % 1000 == 20) status += 979;
  }
  print("create a handle at null", cudnnCreate(nullptr));
  print("destroy no handle", cudnnDestroy(nullptr));
  print("set the stream of no handle", cudnnSetStream(nullptr, nullptr));
  cudaStream_t stream{};
  print("get the stream of no handle", cudnnGetStream(nullptr, &stream));
  print("get the stream", cudnnGetStream(handle(), &stream), stream == nullptr ? "null" : "another");
}

}  // namespace vgpu::calls

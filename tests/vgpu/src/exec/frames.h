// SPDX-License-Identifier: Apache-2.0
//
// The call stacks of a warp's lanes, with a frame for each active call that holds its registers and local memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "exec/code.h"
#include "exec/local_memory.h"

namespace vgpu {

class Warp;

// One call of a function by some lanes, with its registers and its position in local memory.
struct Frame {
  const Function* function = nullptr;
  Frame* caller = nullptr;
  const Code* call = nullptr;    // the call instruction; null in the frame of the kernel
  std::uint32_t return_pc = 0;   // index in the caller's code
  std::uint32_t local_base = 0;  // start of this frame in each lane's local memory
  unsigned depth = 0;
  Mask lanes = 0;  // lanes that have not returned yet
  std::vector<std::byte> storage;
  std::byte* registers = nullptr;  // aligned to 64 bytes within `storage`
};

class Frames {
 public:
  // Returns a new frame in which `lanes` of the warp begin the function. Throws Fault if their local memory does not
  // suffice.
  Frame& enter(Warp& warp, const Function& function, Frame* caller, Mask lanes);
  // Called when the lanes return from this frame.
  void leave(Frame& frame, Mask lanes);
  // Called when the lanes exit: removes them from this frame and from those of all callers.
  void leave_all(Frame* frame, Mask lanes);
  // Copies `size` bytes of each lane's local memory and marks them as initialised.
  void copy_local(Mask lanes, std::uint32_t from, std::uint32_t to, std::uint32_t size);

  LocalMemory& local() { return local_; }

 private:
  LocalMemory local_;
  std::vector<std::unique_ptr<Frame>> all_;
  std::vector<Frame*> free_;
};

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
#include "exec/frames.h"

#include <cstring>
#include <string>

#include "exec/block.h"
#include "exec/warp.h"

namespace vgpu {
namespace {

// Writes the registers whose initial value is known (constants, special registers and addresses).
void write_initial_registers(const Warp& warp, Frame& frame) {
  const Function& function = *frame.function;
  if (!function.constants.empty())
    std::memcpy(frame.registers + function.constants_begin, function.constants.data(), function.constants.size());
  const auto fill = [&](Slot slot, std::size_t size, auto value_of) {
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t value = value_of(lane);
      std::memcpy(frame.registers + slot + lane * size, &value, size);
    }
  };
  for (const Function::FrameAddress& use : function.frame_addresses)
    fill(use.slot, use.size, [&](unsigned) { return std::uint64_t{frame.local_base} + use.offset; });
  for (const Function::SpecialUse& use : function.specials)
    fill(use.slot, use.size, [&](unsigned lane) { return special_value(warp, lane, use.special); });
}

}  // namespace

Frame& Frames::enter(Warp& warp, const Function& function, Frame* caller, Mask lanes) {
  if (free_.empty()) {
    all_.push_back(std::make_unique<Frame>());
    free_.push_back(all_.back().get());
  }
  Frame& frame = *free_.back();
  const std::size_t base = caller == nullptr ? 0 : aligned(caller->local_base + caller->function->local_bytes, 16);
  if (!local_.reserve(base + function.local_bytes))
    warp.block().fail(warp, first_lane(lanes), Finding::Kind::kStackOverflow,
                      "call of " + function.source->name + ": the local memory of a thread (" +
                          std::to_string(LocalMemory::kMost) + " bytes) does not suffice");
  free_.pop_back();
  warp.undefined().forget(frame);
  if (function.local_bytes > 0)
    for (unsigned lane = 0; lane < kLanes; ++lane)
      if ((lanes >> lane & 1) != 0) local_.forget(lane, base, function.local_bytes);

  frame.function = &function;
  frame.caller = caller;
  frame.call = nullptr;
  frame.local_base = static_cast<std::uint32_t>(base);
  frame.depth = caller == nullptr ? 0 : caller->depth + 1;
  frame.lanes = lanes;
  if (frame.storage.size() < function.register_bytes + 64) frame.storage.resize(function.register_bytes + 64);
  void* start = frame.storage.data();
  std::size_t room = frame.storage.size();
  frame.registers = static_cast<std::byte*>(std::align(64, function.register_bytes, start, room));
  write_initial_registers(warp, frame);
  return frame;
}

void Frames::leave(Frame& frame, Mask lanes) {
  frame.lanes &= ~lanes;
  if (frame.lanes == 0) free_.push_back(&frame);
}

void Frames::leave_all(Frame* frame, Mask lanes) {
  while (frame != nullptr) {
    Frame* caller = frame->caller;
    leave(*frame, lanes);
    frame = caller;
  }
}

void Frames::copy_local(Mask lanes, std::uint32_t from, std::uint32_t to, std::uint32_t size) {
  for (unsigned lane = 0; lane < kLanes; ++lane)
    if ((lanes >> lane & 1) != 0) {
      std::memcpy(local_.bytes(lane, to), local_.bytes(lane, from), size);
      local_.set_initialised(lane, to, size);
    }
}

}  // namespace vgpu

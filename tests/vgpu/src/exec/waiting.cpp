// SPDX-License-Identifier: Apache-2.0
//
// How the lanes of a warp wait: for other lanes of the warp, at a barrier of the block, or by yielding to others.
#include "exec/sync_hooks.h"
#include "exec/warp.h"

namespace vgpu {

bool Warp::gather(Mask wanted) {
  if (split().woken) {
    split().woken = false;
    return true;
  }
  if ((wanted & alive_ & ~active_) == 0) {
    meet(*this, wanted);
    return true;
  }
  split().wait = Split::Wait::kGather;
  split().wanted = wanted;
  --split().pc;
  reschedule_ = true;
  return false;
}

void Warp::wait_for(Mask lanes, Mask wanted) {
  Split waiting = split();
  waiting.lanes = lanes;
  --waiting.pc;
  waiting.wait = Split::Wait::kGather;
  waiting.wanted = wanted;
  active_ &= ~lanes;
  split().lanes &= ~lanes;
  if (split().lanes == 0) {
    split() = waiting;
  } else {
    splits_.push_back(waiting);
  }
  reschedule_ = true;
}

void Warp::wait_at_barrier(unsigned barrier) {
  split().wait = Split::Wait::kBarrier;
  split().barrier = barrier;
  --split().pc;
  reschedule_ = true;
}

void Warp::yield() {
  looks_ += kLooks;
  split().wait = Split::Wait::kYield;
  --split().pc;
  reschedule_ = true;
}

void Warp::wake(unsigned barrier) {
  for (Split& split : splits_)
    if (split.wait == Split::Wait::kBarrier && split.barrier == barrier) {
      split.wait = Split::Wait::kNone;
      split.woken = true;
    }
}

}  // namespace vgpu

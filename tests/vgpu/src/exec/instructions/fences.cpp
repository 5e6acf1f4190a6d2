// SPDX-License-Identifier: Apache-2.0
//
// membar and fence, and scheduling and register hints.
#include <atomic>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/meeting.h"
#include "exec/instructions/ordering.h"
#include "exec/sync_hooks.h"

namespace vgpu {
namespace {

void run_fence(Warp& warp, const Code&) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  fence(warp);
}

void decode_membar(Decoder& d) {
  if (!d.take("cta") && !d.take("gl") && !d.take("sys")) d.unknown();
  set_handler(d, Pipe::kLoadStore, run_fence);
}

void run_nothing(Warp&, const Code&) {}

// Asynchronous copies complete as a whole here, so the proxies see each other's writes even without a proxy fence.
void decode_proxy_fence(Decoder& d) {
  if (d.take("alias")) {
    set_handler(d, Pipe::kLoadStore, run_nothing);
    return;
  }
  if (!d.take("async")) d.unknown();
  if (!d.take("global") && !d.take("shared::cta")) d.take("shared::cluster");
  set_handler(d, Pipe::kLoadStore, run_nothing);
}

void decode_fence(Decoder& d) {
  if (d.take("proxy")) {
    decode_proxy_fence(d);
    return;
  }
  if (d.take("mbarrier_init") && d.peek() != "release") d.unknown();
  if (d.peek().empty()) d.unknown();
  d.take("sc");
  take_ordering(d);
  set_handler(d, Pipe::kLoadStore, run_fence);
}

void run_nanosleep(Warp& warp, const Code&) { give_way(warp); }

void decode_nanosleep(Decoder& d) {
  if (!d.take("u32")) d.unknown();
  set_handler(d, Pipe::kControl, run_nanosleep);
}

// griddepcontrol and setmaxnreg affect how grids overlap and how many registers a warp may use, but not any result.
void decode_griddepcontrol(Decoder& d) {
  if (!d.take("launch_dependents") && !d.take("wait")) d.unknown();
  set_handler(d, Pipe::kControl, run_nothing);
}

void decode_setmaxnreg(Decoder& d) {
  if (!d.take("inc") && !d.take("dec")) d.unknown();
  if (!d.take("sync") || !d.take("aligned") || !d.take("u32")) d.unknown();
  set_handler(d, Pipe::kControl, run_nothing);
}

}  // namespace

void add_fences(InstructionTable& table) {
  table["membar"] = decode_membar;
  table["fence"] = decode_fence;
  table["nanosleep"] = decode_nanosleep;
  table["griddepcontrol"] = decode_griddepcontrol;
  table["setmaxnreg"] = decode_setmaxnreg;
}

}  // namespace vgpu

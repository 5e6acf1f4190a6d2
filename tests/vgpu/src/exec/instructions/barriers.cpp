// SPDX-License-Identifier: Apache-2.0
//
// bar and barrier: the barriers of a thread block (CTA).
#include "exec/block.h"
#include "exec/instructions/families.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Type;

enum Flag : std::uint8_t { kArriveOnly = 1, kAligned = 2, kCounted = 4, kReduces = 8, kNegated = 16 };
enum class Reduction : std::uint8_t { kAnd, kOr, kCount };

// Operands: barrier number, thread count, result, predicate. code.target holds the Reduction.
void run_barrier(Warp& warp, const Code& code) {
  Block& block = warp.block();
  const auto first = static_cast<unsigned>(__builtin_ctz(warp.active()));
  const std::uint32_t id = warp.lanes<std::uint32_t>(code.operands[0])[first];
  const bool reduces = (code.flags & kReduces) != 0;
  if (!warp.split().woken) {
    if (!warp.gather(kAllLanes)) return;
    if (id >= 16)
      block.fail(warp, first, Finding::Kind::kIllegalInstruction, "barrier " + std::to_string(id) + " of 16");
    const std::uint32_t expected =
        (code.flags & kCounted) != 0 ? warp.lanes<std::uint32_t>(code.operands[1])[first] : 0;
    if (expected % kLanes != 0)
      block.fail(warp, first, Finding::Kind::kIllegalInstruction,
                 "a barrier for " + std::to_string(expected) + " threads, which is no multiple of a warp");
    Mask votes = 0;
    if (reduces) {
      votes = warp.predicate(code.operands[3]);
      if ((code.flags & kNegated) != 0) votes = ~votes;
      votes &= warp.active();
    }
    const bool complete = block.arrive(warp, id, (code.flags & kArriveOnly) == 0, expected,
                                       static_cast<unsigned>(__builtin_popcount(votes)),
                                       static_cast<unsigned>(__builtin_popcount(warp.active())));
    if (!complete && (code.flags & kArriveOnly) == 0) {
      warp.wait_at_barrier(id);
      return;
    }
  }
  warp.split().woken = false;
  if (!reduces) return;
  const Block::Barrier& barrier = block.barrier(id);
  switch (static_cast<Reduction>(code.target)) {
    case Reduction::kAnd:
      set_predicate(warp, code.operands[2], barrier.last_for == barrier.last_votes ? kAllLanes : 0);
      break;
    case Reduction::kOr:
      set_predicate(warp, code.operands[2], barrier.last_for != 0 ? kAllLanes : 0);
      break;
    case Reduction::kCount:
      for_each_lane(warp.active(),
                    [&](unsigned lane) { warp.lanes<std::uint32_t>(code.operands[2])[lane] = barrier.last_for; });
  }
}

void decode_barrier(Decoder& d) {
  Code& code = d.code();
  code.pipe = Pipe::kControl;
  code.run = run_barrier;
  d.take("cta");
  std::size_t next = 0;
  if (d.take("arrive")) {
    code.flags |= kArriveOnly;
  } else if (d.take("red")) {
    code.flags |= kReduces;
    const std::string operation = d.take_word();
    const ptx::Operand& result = d.operand(next++);
    if (operation == "popc") {
      d.take_type();
      code.target = static_cast<std::uint32_t>(Reduction::kCount);
      code.operands[2] = d.output(result, Type::kU32);
    } else if (operation == "and" || operation == "or") {
      code.target = static_cast<std::uint32_t>(operation == "and" ? Reduction::kAnd : Reduction::kOr);
      code.operands[2] = d.predicate_output(result);
    } else {
      d.unknown();
    }
  } else if (!d.take("sync")) {
    d.unknown();
  }
  d.take_any("aligned");
  if ((code.flags & kReduces) != 0) {
    d.take("pred");
    bool negated = false;
    code.operands[3] = d.predicate_input(d.operand(d.operand_count() - 1), &negated);
    if (negated) code.flags |= kNegated;
  }
  code.operands[0] = d.input(next++, Type::kU32);
  const std::size_t last = d.operand_count() - ((code.flags & kReduces) != 0 ? 1 : 0);
  if (next < last) {
    code.flags |= kCounted;
    code.operands[1] = d.input(next, Type::kU32);
  }
}

// Lanes that wait at a different bar.warp.sync are released. Lanes that arrive at this same instruction continue at
// once.
void run_warp_barrier(Warp& warp, const Code& code) {
  if (warp.split().woken) {
    warp.split().woken = false;
    return;
  }
  meet_members(warp, code.operands[0]);
}

void decode_bar(Decoder& d) {
  if (!d.take("warp")) {
    decode_barrier(d);
    return;
  }
  if (!d.take("sync")) d.unknown();
  d.code().pipe = Pipe::kControl;
  d.code().warp_barrier = true;
  d.code().operands[0] = d.input(0, Type::kU32);
  d.code().run = run_warp_barrier;
}

}  // namespace

void add_barriers(InstructionTable& table) {
  table["bar"] = decode_bar;
  table["barrier"] = decode_barrier;
}

}  // namespace vgpu

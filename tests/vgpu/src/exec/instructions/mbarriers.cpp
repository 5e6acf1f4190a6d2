// SPDX-License-Identifier: Apache-2.0
//
// mbarrier: barrier objects in shared memory that count both arrivals and the bytes of asynchronous copies.
#include "exec/mbarrier.h"

#include "exec/block.h"
#include "exec/instructions/async_copies.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/meeting.h"
#include "exec/instructions/ordering.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

enum Flag : std::uint8_t {
  kReleases = 1,
  kExpects = 2,  // arrive.expect_tx: the operand is a number of bytes, and there is one arrival
  kDrops = 4,    // arrive_drop: all later phases also expect fewer arrivals
  kNoComplete = 8,
  kParity = 16,
};

[[noreturn]] void misused(Warp& warp, unsigned lane, const std::string& what) {
  warp.block().fail(warp, lane, Finding::Kind::kDivergentBarrier, "mbarrier: " + what);
}

Access access_of(Warp& warp, const Code& code, Access::Kind kind) {
  Access access{kind, code.space, sizeof(std::uint64_t), kind != Access::Kind::kWrite};
  access.relaxed = (code.flags & kReleases) == 0;
  read_addresses(warp, code, 0, access);
  return access;
}

// Calls f(lane, barrier) for each lane and stores the barrier that f has modified.
template <class F>
void change(Warp& warp, const Code& code, F f) {
  Access access = access_of(warp, code, Access::Kind::kAtomic);
  resolve(warp, access);
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint64_t offset = shared_offset(warp, access, lane);
    Mbarrier barrier = Mbarrier::load(access.host[lane]);
    if (barrier.expected == 0) misused(warp, lane, "there is none that is initialised");
    f(lane, barrier, offset);
    barrier.store(access.host[lane]);
  });
  warp.block().note_change();
}

void announce(Warp& warp, unsigned lane, Mbarrier& barrier, std::uint32_t bytes) {
  if (bytes > Mbarrier::kMost - static_cast<std::uint32_t>(barrier.bytes))
    misused(warp, lane, "more than 2^20 - 1 bytes are expected");
  barrier.bytes += static_cast<std::int32_t>(bytes);
}

// Operands of all instructions that modify a barrier: address, count or bytes, state.
void run_init(Warp& warp, const Code& code) {
  Access access = access_of(warp, code, Access::Kind::kWrite);
  resolve(warp, access);
  for_each_lane(warp.active(), [&](unsigned lane) {
    shared_offset(warp, access, lane);
    const std::uint32_t count = warp.lanes<std::uint32_t>(code.operands[1])[lane];
    if (count == 0 || count > Mbarrier::kMost)
      misused(warp, lane, std::to_string(count) + " arrivals of 1 to 2^20 - 1");
    Mbarrier barrier;
    barrier.pending = barrier.expected = count;
    barrier.store(access.host[lane]);
  });
}

void run_inval(Warp& warp, const Code& code) {
  change(warp, code, [](unsigned, Mbarrier& barrier, std::uint64_t) { barrier = Mbarrier{}; });
}

void run_expect_tx(Warp& warp, const Code& code) {
  change(warp, code, [&](unsigned lane, Mbarrier& barrier, std::uint64_t) {
    announce(warp, lane, barrier, warp.lanes<std::uint32_t>(code.operands[1])[lane]);
  });
}

void run_complete_tx(Warp& warp, const Code& code) {
  change(warp, code, [&](unsigned lane, Mbarrier& barrier, std::uint64_t) {
    const std::uint32_t bytes = warp.lanes<std::uint32_t>(code.operands[1])[lane];
    if (static_cast<std::int64_t>(bytes) > barrier.bytes) misused(warp, lane, "more bytes complete than were expected");
    barrier.bytes -= static_cast<std::int32_t>(bytes);
    if (barrier.complete()) barrier.begin_next_phase();
  });
}

void run_arrive(Warp& warp, const Code& code) {
  change(warp, code, [&](unsigned lane, Mbarrier& barrier, std::uint64_t offset) {
    const std::uint32_t given = warp.lanes<std::uint32_t>(code.operands[1])[lane];
    const std::uint32_t count = (code.flags & kExpects) != 0 ? 1 : given;
    warp.lanes<std::uint64_t>(code.operands[2])[lane] = barrier.bits();
    if (count == 0 || count > barrier.pending)
      misused(warp, lane,
              std::to_string(count) + " arrivals, where the phase waits for " + std::to_string(barrier.pending));
    if ((code.flags & kExpects) != 0) announce(warp, lane, barrier, given);
    barrier.pending -= count;
    if ((code.flags & kDrops) != 0) barrier.expected -= count;
    if (!barrier.complete()) return;
    if ((code.flags & kNoComplete) != 0) misused(warp, lane, ".noComplete, yet the phase completes");
    if (warp.block().copies().any_for(offset))
      warp.block().fail(warp, lane, Finding::Kind::kAsyncCopy,
                        "the phase of an mbarrier completes while copies are under way that it was not told to expect");
    barrier.begin_next_phase();
  });
}

// Operands: address, state or parity, predicate.
void run_wait(Warp& warp, const Code& code) {
  Block& block = warp.block();
  Access access = access_of(warp, code, Access::Kind::kRead);
  const auto passed = [&](unsigned lane, const Mbarrier& barrier) {
    if ((code.flags & kParity) != 0)
      return (barrier.phase & 1) != (warp.lanes<std::uint32_t>(code.operands[1])[lane] & 1);
    return barrier.phase != Mbarrier::of_bits(warp.lanes<std::uint64_t>(code.operands[1])[lane]).phase;
  };
  // Copies that complete the phase have to land before the read that observes the completed phase.
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint64_t offset = shared_offset(warp, access, lane);
    if (offset % sizeof(std::uint64_t) != 0 || offset + sizeof(std::uint64_t) > block.shared().size()) return;
    if (!passed(lane, Mbarrier::load(block.shared().bytes(offset)))) block.copies().land_for(warp, lane, offset);
  });
  resolve(warp, access);
  Mask complete = 0;
  for_each_lane(warp.active(), [&](unsigned lane) {
    const Mbarrier barrier = Mbarrier::load(access.host[lane]);
    if (barrier.expected == 0 && barrier.pending == 0) misused(warp, lane, "there is none that is initialised");
    complete |= Mask{passed(lane, barrier)} << lane;
  });
  set_predicate(warp, code.operands[2], complete);
  if (complete != warp.active()) give_way(warp);
}

void run_pending_count(Warp& warp, const Code& code) {
  map_lanes<std::uint32_t, std::uint64_t>(warp, code,
                                          [](std::uint64_t state) { return Mbarrier::of_bits(state).pending; });
}

// ---- decoding -------------------------------------------------------------------------------------------------------

// Decodes the qualifiers from the memory ordering on, and the address.
void take_place(Decoder& d, bool releases, std::size_t index) {
  const bool relaxed = d.peek() == "relaxed";
  take_ordering(d);
  if (releases && !relaxed) d.code().flags |= kReleases;
  const bool shared = d.take("shared") || d.take("shared::cta") || d.take("shared::cluster");
  if (!d.take("b64")) d.unknown();
  d.address(d.operand(index), shared ? Space::kShared : Space::kGeneric, 0);
}

void decode_arrive(Decoder& d) {
  Code& code = d.code();
  if (d.take("expect_tx")) code.flags |= kExpects;
  if (d.take("noComplete")) code.flags |= kNoComplete;
  take_place(d, true, 1);
  code.operands[2] = d.output(0, Type::kB64);
  if ((code.flags & (kExpects | kNoComplete)) != 0 && d.operand_count() < 3) d.unknown();
  code.operands[1] = d.operand_count() > 2 ? d.input(2, Type::kU32) : d.builder().constant(1, sizeof(std::uint32_t));
  set_handler(d, Pipe::kLoadStore, run_arrive);
}

void decode_wait(Decoder& d) {
  Code& code = d.code();
  if (d.take("parity")) code.flags |= kParity;
  take_place(d, false, 1);
  code.operands[2] = d.predicate_output(d.operand(0));
  code.operands[1] = d.input(2, (code.flags & kParity) != 0 ? Type::kU32 : Type::kB64);
  set_handler(d, Pipe::kLoadStore, run_wait);
}

void decode_mbarrier(Decoder& d) {
  Code& code = d.code();
  const auto with_count = [&](Handler run) {
    take_place(d, false, 0);
    code.operands[1] = d.input(1, Type::kU32);
    set_handler(d, Pipe::kLoadStore, run);
  };
  if (d.take("init")) {
    with_count(run_init);
  } else if (d.take("expect_tx")) {
    with_count(run_expect_tx);
  } else if (d.take("complete_tx")) {
    with_count(run_complete_tx);
  } else if (d.take("inval")) {
    take_place(d, false, 0);
    set_handler(d, Pipe::kLoadStore, run_inval);
  } else if (d.take("arrive")) {
    decode_arrive(d);
  } else if (d.take("arrive_drop")) {
    code.flags |= kDrops;
    decode_arrive(d);
  } else if (d.take("test_wait") || d.take("try_wait")) {
    decode_wait(d);
  } else if (d.take("pending_count")) {
    if (!d.take("b64")) d.unknown();
    code.operands[0] = d.output(0, Type::kU32);
    code.operands[1] = d.input(1, Type::kB64);
    set_handler(d, Pipe::kAlu, run_pending_count);
  } else {
    d.unknown();
  }
}

}  // namespace

void add_mbarriers(InstructionTable& table) { table["mbarrier"] = decode_mbarrier; }

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// cp.async: each thread asynchronously copies 4, 8 or 16 bytes from global to shared memory.
#include "exec/instructions/async_copies.h"
#include "exec/block.h"
#include "exec/instructions/addresses.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/mbarrier.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

enum Flag : std::uint8_t { kPartial = 1, kIgnores = 2, kNegated = 4, kCounts = 8 };

struct Plan {
  Address to, from;
};

// Returns the number of bytes that each lane reads (src-size, or 0 with ignore-src). The lane always writes code.bytes;
// the rest is filled with zeros.
std::array<std::uint32_t, kLanes> bytes_read(Warp& warp, const Code& code) {
  std::array<std::uint32_t, kLanes> bytes;
  bytes.fill(code.bytes);
  if ((code.flags & kIgnores) != 0) {
    const Mask given = warp.predicate(code.operands[2]);
    for_each_lane((code.flags & kNegated) != 0 ? ~given : given, [&](unsigned lane) { bytes[lane] = 0; });
  }
  if ((code.flags & kPartial) != 0)
    for_each_lane(warp.active(), [&](unsigned lane) {
      bytes[lane] = warp.lanes<std::uint32_t>(code.operands[2])[lane];
      if (bytes[lane] > code.bytes)
        warp.block().fail(warp, lane, Finding::Kind::kIllegalInstruction,
                          "a copy of " + std::to_string(code.bytes) + " bytes out of " + std::to_string(bytes[lane]));
    });
  return bytes;
}

// Operands: the base registers of the destination and source addresses, then src-size or the ignore-src predicate.
void run_copy(Warp& warp, const Code& code) {
  const auto& plan = *static_cast<const Plan*>(code.data.get());
  Access to{Access::Kind::kWrite, Space::kShared, code.bytes};
  to.asynchronous = true;
  read_addresses(warp, code, plan.to, to);
  resolve(warp, to);

  const std::array<std::uint32_t, kLanes> bytes = bytes_read(warp, code);
  Access from{Access::Kind::kRead, Space::kGlobal, code.bytes};
  from.alignment = code.bytes;
  read_addresses(warp, code, plan.from, from);
  Mask whole = 0, partial = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    whole |= Mask{bytes[lane] == code.bytes} << lane;
    partial |= Mask{bytes[lane] != code.bytes && bytes[lane] != 0} << lane;
  }
  from.lanes = whole;
  if ((whole & warp.active()) != 0) resolve(warp, from);
  for_each_lane(partial & warp.active(), [&](unsigned lane) {
    from.lanes = Mask{1} << lane;
    from.bytes = bytes[lane];
    resolve(warp, from);
  });
  AsyncCopies& copies = warp.block().copies();
  for_each_lane(warp.active(), [&](unsigned lane) {
    copies.of(AsyncCopies::thread_in(warp, lane))
        .add({to.host[lane], from.host[lane], bytes[lane], code.bytes - bytes[lane], to.address[lane], nullptr});
  });
}

void decode_copy(Decoder& d) {
  Code& code = d.code();
  const bool past_l1 = d.take("cg");
  if (!past_l1 && !d.take("ca")) d.unknown();
  if (!d.take("shared") && !d.take("shared::cta")) d.unknown();
  if (!d.take("global")) d.unknown();
  const bool hinted = d.take("L2::cache_hint");
  for (const char* prefetch : {"L2::64B", "L2::128B", "L2::256B"})
    if (d.take(prefetch)) break;
  auto plan = std::make_shared<Plan>();
  plan->to = take_address(d, 0, Space::kShared, 0);
  plan->from = take_address(d, 1, Space::kGlobal, 1);
  code.data = plan;
  const std::uint64_t size = d.operand(2).kind == ptx::Operand::Kind::kImmediate ? d.operand(2).bits : 0;
  if (size != 16 && (past_l1 || (size != 4 && size != 8))) d.unknown("a copy of another size");
  code.bytes = static_cast<std::uint8_t>(size);
  if (d.operand_count() - (hinted ? 1 : 0) > 3) {
    const ptx::Operand& operand = d.operand(3);
    if (d.register_size(operand) == 4 || operand.kind == ptx::Operand::Kind::kImmediate) {
      code.flags |= kPartial;
      code.operands[2] = d.input(operand, Type::kU32);
    } else {
      bool negated = false;
      code.operands[2] = d.predicate_input(operand, &negated);
      code.flags |= kIgnores;
      if (negated) code.flags |= kNegated;
    }
  }
  set_handler(d, Pipe::kLoadStore, run_copy);
}

// ---- async-groups (cp.async.commit_group, cp.async.wait_group) ------------------------------------------------------

void run_commit(Warp& warp, const Code&) {
  for_each_lane(warp.active(),
                [&](unsigned lane) { warp.block().copies().of(AsyncCopies::thread_in(warp, lane)).commit(); });
}

// code.target is the number of the most recent async-groups that may still be pending.
void run_wait(Warp& warp, const Code& code) {
  for_each_lane(warp.active(), [&](unsigned lane) { warp.block().copies().wait(warp, lane, code.target); });
}

void run_wait_all(Warp& warp, const Code& code) {
  run_commit(warp, code);
  run_wait(warp, code);
}

// ---- arrivals at an mbarrier ----------------------------------------------------------------------------------------

void run_arrive(Warp& warp, const Code& code) {
  Access access{Access::Kind::kAtomic, code.space, sizeof(std::uint64_t), true};
  read_addresses(warp, code, 0, access);
  resolve(warp, access);
  for_each_lane(warp.active(), [&](unsigned lane) {
    if ((code.flags & kCounts) != 0) {
      Mbarrier barrier = Mbarrier::load(access.host[lane]);
      if (barrier.pending == Mbarrier::kMost)
        warp.block().fail(warp, lane, Finding::Kind::kAsyncCopy, "too many arrivals for one phase of an mbarrier");
      ++barrier.pending;
      barrier.store(access.host[lane]);
    }
    warp.block().copies().arrive_after_copies(AsyncCopies::thread_in(warp, lane), shared_offset(warp, access, lane));
  });
}

void decode_arrive(Decoder& d) {
  if (!d.take("arrive")) d.unknown();
  Code& code = d.code();
  if (!d.take("noinc")) code.flags |= kCounts;
  const bool shared = d.take("shared") || d.take("shared::cta");
  if (!d.take("b64")) d.unknown();
  d.address(d.operand(0), shared ? Space::kShared : Space::kGeneric, 0);
  set_handler(d, Pipe::kLoadStore, run_arrive);
}

void decode_cp(Decoder& d) {
  if (d.take("reduce")) {
    decode_bulk_reduction(d);
    return;
  }
  if (!d.take("async")) d.unknown();
  if (d.take("bulk")) {
    decode_bulk_copy(d);
  } else if (d.take("commit_group")) {
    set_handler(d, Pipe::kLoadStore, run_commit);
  } else if (d.take("wait_group")) {
    d.code().target = take_group_count(d);
    set_handler(d, Pipe::kLoadStore, run_wait);
  } else if (d.take("wait_all")) {
    set_handler(d, Pipe::kLoadStore, run_wait_all);
  } else if (d.take("mbarrier")) {
    decode_arrive(d);
  } else {
    decode_copy(d);
  }
}

}  // namespace

std::uint64_t shared_offset(Warp& warp, const Access& access, unsigned lane) {
  const std::uint64_t address = access.address[lane];
  if (access.space == Space::kShared) return address;
  if (space_of(address) != Space::kShared)
    warp.block().fail(warp, lane, Finding::Kind::kIllegalAddress,
                      "an mbarrier at " + hexadecimal(address) + ", which is not in shared memory");
  return address - kSharedWindow;
}

std::uint32_t take_group_count(Decoder& d) {
  if (d.operand(0).kind != ptx::Operand::Kind::kImmediate) d.unknown("expected a number of groups");
  return static_cast<std::uint32_t>(d.operand(0).bits);
}

void add_async_copies(InstructionTable& table) { table["cp"] = decode_cp; }

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// cp.async.bulk and cp.reduce.async.bulk: a single thread copies or reduces a block of memory of any size.
#include "exec/block.h"
#include "exec/instructions/addresses.h"
#include "exec/instructions/async_copies.h"
#include "exec/instructions/atomic_operations.h"
#include "exec/instructions/by_type.h"
#include "exec/mbarrier.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

constexpr std::uint32_t kUnit = 16;  // sizes and addresses must be multiples of this

struct Plan {
  Address to, from, mbarrier;
  Space to_space = Space::kShared, from_space = Space::kGlobal;
  void (*reduce)(std::byte* to, const std::byte* from, std::uint32_t bytes) = nullptr;
};

// Resolves the access of one lane. Bulk accesses are resolved lane by lane because each lane has its own size.
Access resolved(Warp& warp, const Code& code, const Address& address, unsigned lane, Access access) {
  access.lanes = Mask{1} << lane;
  read_addresses(warp, code, address, access);
  resolve(warp, access);
  return access;
}

// Operands: the base registers of the destination, source and mbarrier addresses, and the size.
void run_copy(Warp& warp, const Code& code) {
  const auto& plan = *static_cast<const Plan*>(code.data.get());
  AsyncCopies& copies = warp.block().copies();
  for_each_lane(warp.active(), [&](unsigned lane) {
    const std::uint32_t bytes = warp.lanes<std::uint32_t>(code.operands[3])[lane];
    if (bytes % kUnit != 0 || bytes > Mbarrier::kMost)
      warp.block().fail(warp, lane, Finding::Kind::kMisaligned,
                        "a bulk copy of " + std::to_string(bytes) + " bytes: expected a multiple of 16 below 2^20");
    if (bytes == 0) return;
    Access to{plan.reduce == nullptr ? Access::Kind::kWrite : Access::Kind::kAtomic, plan.to_space, bytes};
    to.strong = plan.reduce != nullptr;
    to.asynchronous = plan.to_space == Space::kShared;
    Access from{Access::Kind::kRead, plan.from_space, bytes};
    to.alignment = from.alignment = kUnit;
    to = resolved(warp, code, plan.to, lane, to);
    from = resolved(warp, code, plan.from, lane, from);
    const AsyncCopy copy{to.host[lane], from.host[lane], bytes, 0, to.address[lane], plan.reduce};
    if (plan.to_space != Space::kShared) {
      copies.bulk_of(AsyncCopies::thread_in(warp, lane)).add(copy);
      return;
    }
    const Access mbarrier =
        resolved(warp, code, plan.mbarrier, lane, {Access::Kind::kAtomic, Space::kShared, sizeof(std::uint64_t), true});
    copies.add_for(mbarrier.address[lane], copy);
  });
}

void run_commit(Warp& warp, const Code&) {
  for_each_lane(warp.active(),
                [&](unsigned lane) { warp.block().copies().bulk_of(AsyncCopies::thread_in(warp, lane)).commit(); });
}

// code.target is the number of the most recent bulk async-groups that may still be pending. With .read, a GPU waits for
// the reads from the source only; here it waits until the copies are complete.
void run_wait(Warp& warp, const Code& code) {
  for_each_lane(warp.active(), [&](unsigned lane) { warp.block().copies().wait_bulk(warp, lane, code.target); });
}

void run_nothing(Warp&, const Code&) {}

bool take_own_shared(Decoder& d) { return d.take("shared::cta") || d.take("shared::cluster"); }

// Decodes what follows the state spaces in the opcode.
void set_copy(Decoder& d, const std::shared_ptr<Plan>& plan) {
  if (d.take("multicast::cluster")) d.unknown("clusters are not modelled");
  Code& code = d.code();
  plan->to = take_address(d, 0, plan->to_space, 0);
  plan->from = take_address(d, 1, plan->from_space, 1);
  if (plan->to_space == Space::kShared) plan->mbarrier = take_address(d, 3, Space::kShared, 2);
  code.operands[3] = d.input(2, Type::kU32);
  code.data = plan;
  set_handler(d, Pipe::kLoadStore, run_copy);
}

template <class T, class F>
void reduce(std::byte* to, const std::byte* from, std::uint32_t bytes) {
  for (std::uint32_t at = 0; at < bytes; at += sizeof(T)) {
    Given<T> given{T{}, T{}, true};
    std::memcpy(&given.b, from + at, sizeof(T));
    replace<T>(to + at, [&](T old) { return F{}(old, given); });
  }
}

}  // namespace

void decode_bulk_copy(Decoder& d) {
  auto plan = std::make_shared<Plan>();
  if (d.take("commit_group")) {
    set_handler(d, Pipe::kLoadStore, run_commit);
  } else if (d.take("wait_group")) {
    d.take("read");
    d.code().target = take_group_count(d);
    set_handler(d, Pipe::kLoadStore, run_wait);
  } else if (d.take("prefetch")) {
    if (!d.take("L2") || !d.take("global")) d.unknown();
    d.take("L2::cache_hint");
    set_handler(d, Pipe::kLoadStore, run_nothing);
  } else if (d.take("global")) {
    if (!d.take("shared::cta") || !d.take("bulk_group")) d.unknown();
    d.take("L2::cache_hint");
    plan->to_space = Space::kGlobal;
    plan->from_space = Space::kShared;
    set_copy(d, plan);
  } else if (take_own_shared(d)) {
    if (!d.take("global")) {
      if (!d.take("shared::cta")) d.unknown();
      plan->from_space = Space::kShared;
    }
    if (!d.take("mbarrier::complete_tx::bytes")) d.unknown();
    d.take_any("L2::cache_hint");
    set_copy(d, plan);
  } else {
    d.unknown();
  }
}

void decode_bulk_reduction(Decoder& d) {
  if (!d.take("async") || !d.take("bulk") || !d.take("global") || !d.take("shared::cta") || !d.take("bulk_group"))
    d.unknown();
  d.take("L2::cache_hint");
  auto plan = std::make_shared<Plan>();
  plan->to_space = Space::kGlobal;
  plan->from_space = Space::kShared;
  const std::string operation = d.take_word();
  d.take("noftz");
  using Reduce = void (*)(std::byte*, const std::byte*, std::uint32_t);
  if (operation != "exch" && operation != "cas")
    plan->reduce = visit_operation(operation, d.take_type(), [](auto word, auto f) -> Reduce {
      if constexpr (sizeof(word) == sizeof(Bits128))
        return nullptr;
      else
        return reduce<decltype(word), decltype(f)>;
    });
  if (plan->reduce == nullptr) d.unknown();
  set_copy(d, plan);
}

}  // namespace vgpu

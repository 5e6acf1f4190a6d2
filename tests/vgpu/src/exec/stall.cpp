// SPDX-License-Identifier: Apache-2.0
#include "exec/stall.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "exec/mbarrier.h"
#include "exec/reports.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kMostSteps = 1 << 17;  // most steps within which a loop has to repeat
// The instructions that a worker's blocks execute without any change before the launch is given up.
constexpr std::uint64_t kPatience = std::uint64_t{1} << 26;

// The complete state that determines what a warp does next, except for memory that other threads can change.
struct Snapshot {
  std::vector<Split> splits;
  std::vector<std::byte> registers;  // the registers of each split's calls, from the innermost call to the kernel
  std::vector<std::byte> local;
  std::uint64_t turn = 0;  // the latest turn of any split
};

template <class F>
void each_frame(const std::vector<Split>& splits, F f) {
  for (const Split& split : splits)
    for (const Frame* frame = split.frame; frame != nullptr; frame = frame->caller) f(*frame);
}

Snapshot snapshot_of(Warp& warp) {
  Snapshot snapshot;
  snapshot.splits = warp.splits();
  for (const Split& split : snapshot.splits) snapshot.turn = std::max(snapshot.turn, split.turn);
  each_frame(snapshot.splits, [&](const Frame& frame) {
    snapshot.registers.insert(snapshot.registers.end(), frame.registers,
                              frame.registers + frame.function->register_bytes);
  });
  const std::byte* local = warp.local().size() == 0 ? nullptr : warp.local().bytes(0, 0);
  snapshot.local.assign(local, local + kLanes * warp.local().size());
  return snapshot;
}

bool is_at(const Split& a, const Split& b) {
  return a.lanes == b.lanes && a.pc == b.pc && a.frame == b.frame && a.wait == b.wait && a.wanted == b.wanted &&
         a.woken == b.woken && a.barrier == b.barrier;
}

// Returns whether the warp is in the same state as before, and each runnable split has had a turn since.
bool has_come_round(Warp& warp, const Snapshot& before) {
  const std::vector<Split>& splits = warp.splits();
  if (!std::equal(splits.begin(), splits.end(), before.splits.begin(), before.splits.end(), is_at)) return false;
  for (const Split& split : splits)
    if ((split.wait == Split::Wait::kNone || split.wait == Split::Wait::kYield) && split.turn <= before.turn)
      return false;
  if (kLanes * warp.local().size() != before.local.size()) return false;
  const std::byte* expected = before.registers.data();
  bool same = true;
  each_frame(splits, [&](const Frame& frame) {
    const std::size_t bytes = frame.function->register_bytes;
    same = same && std::memcmp(frame.registers, expected, bytes) == 0;
    expected += bytes;
  });
  return same &&
         (before.local.empty() || std::memcmp(warp.local().bytes(0, 0), before.local.data(), before.local.size()) == 0);
}

enum class Outlook { kBlocked, kLoops, kUnknown };

// Runs the warp until it returns to an earlier state or changes something. (Brent's cycle detection: the state to
// compare with is replaced after 1, 2, 4, ... steps, so a loop is found regardless of how many steps lead into it.)
Outlook outlook_of(Block& block, Warp& warp) {
  const std::uint64_t changes = block.changes();
  Snapshot before = snapshot_of(warp);
  std::uint64_t next_snapshot = 1;
  for (std::uint64_t step = 1; step <= kMostSteps; ++step) {
    if (warp.run(1) == 0) return Outlook::kBlocked;
    if (block.changes() != changes) return Outlook::kUnknown;
    if (has_come_round(warp, before)) return Outlook::kLoops;
    if (step != next_snapshot) continue;
    before = snapshot_of(warp);
    next_snapshot *= 2;
  }
  return Outlook::kUnknown;
}

std::uint64_t executed_by(const StallWatch::Blocks& blocks) {
  std::uint64_t sum = 0;
  for (const auto& block : blocks) sum += block->executed();
  return sum;
}

}  // namespace

// ---- what a warp reads ----------------------------------------------------------------------------------------------

void Observer::saw(const Warp& warp, const Access& access, unsigned lane, const Allocation* allocation) {
  code_ = &warp.code();
  lane_ = lane;
  address_ = access.address[lane];
  bytes_ = access.bytes;
  host_ = access.host[lane];
  allocation_ = allocation;
  if (allocation != nullptr &&
      (allocation->kind == Allocation::Kind::kPinned || allocation->kind == Allocation::Kind::kManaged))
    host_can_answer_ = true;
}

std::string Observer::place_text() const {
  if (allocation_ != nullptr) return fmt::format("{:#x} in {}", address_, name_of(*allocation_));
  return fmt::format("shared {:#x}", address_ & (kWindowSize - 1));
}

Finding Observer::finding(const Block& block, const Warp& warp) const {
  constexpr const char* kNobody = "nothing that still runs will change that";
  if (code_ == nullptr) {
    const Split& split = warp.splits().front();
    return block.finding(warp, static_cast<unsigned>(__builtin_ctz(split.lanes)), split.frame->function->code[split.pc],
                         Finding::Kind::kDeadlock, "a loop that never ends and reads no memory");
  }
  std::string what;
  if (code_->source->opcode == "mbarrier") {
    const Mbarrier barrier = Mbarrier::load(host_);
    what = fmt::format("a wait for the mbarrier at {}, whose phase lacks {} of {} arrivals and {} bytes: {}",
                       place_text(), barrier.pending, barrier.expected, barrier.bytes, kNobody);
  } else {
    std::string value;  // hexadecimal digits, most significant byte first
    for (std::uint32_t i = std::min<std::uint32_t>(bytes_, 16); i > 0; --i)
      value += fmt::format("{:02x}", static_cast<unsigned>(host_[i - 1]));
    what =
        fmt::format("a loop that waits for {} bytes at {}, which hold 0x{}: {}", bytes_, place_text(), value, kNobody);
  }
  return block.finding(warp, lane_, *code_, Finding::Kind::kDeadlock, what);
}

// ---- workers --------------------------------------------------------------------------------------------------------

bool StallState::all_stalled_at(std::uint64_t progress) const {
  return progress_ == progress && std::all_of(stalled_at_.begin(), stalled_at_.end(), [&](const auto& at) {
           return at == progress || at == StallWatch::kGone;
         });
}

// The changes of a block are published before its worker can report again that it has stalled. So if all workers have
// stalled at the same progress, each of them has found its blocks looping while no other block changed anything.
std::optional<Finding> StallWatch::after_turn(Block& block, const Blocks& resident, bool waits, bool more) {
  if (block.take_changed()) ++state_.progress_;
  const std::uint64_t progress = state_.progress_;
  if (progress != progress_ || more) {
    progress_ = progress;
    executed_before_ = executed_by(resident);
    turns_ = turns_waiting_ = 0;
    next_attempt_ = resident.size();
    return std::nullopt;
  }
  ++turns_;
  turns_waiting_ = waits ? turns_waiting_ + 1 : 0;
  if (state_.stalled_at_[worker_] != progress && turns_ >= next_attempt_) {
    next_attempt_ *= 2;
    const bool stalled = cannot_go_on(resident);
    for (const auto& one : resident)
      if (one->take_changed()) ++state_.progress_;
    if (stalled && state_.progress_ == progress) state_.stalled_at_[worker_] = progress;
  }
  if (state_.stalled_at_[worker_] == progress && state_.all_stalled_at(progress)) return finding_;
  return std::nullopt;
}

bool StallWatch::cannot_go_on(const Blocks& resident) {
  finding_.reset();
  bool proved = true, host_can_answer = false;
  for (const auto& block : resident) {
    for (const auto& warp : block->warps()) {
      if (warp->finished()) continue;
      Observer observer;
      warp->set_observer(&observer);
      const Outlook outlook = outlook_of(*block, *warp);
      warp->set_observer(nullptr);
      if (outlook == Outlook::kBlocked) continue;
      proved = proved && outlook == Outlook::kLoops;
      host_can_answer = host_can_answer || observer.host_can_answer();
      if (!finding_) finding_ = observer.finding(*block, *warp);
    }
  }
  return finding_ && !host_can_answer && (proved || is_out_of_patience(resident));
}

bool StallWatch::is_out_of_patience(const Blocks& resident) const {
  return turns_waiting_ >= resident.size() && executed_by(resident) - executed_before_ > kPatience;
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
#include "exec/block.h"

#include <algorithm>
#include <numeric>

namespace vgpu {
namespace {

constexpr std::uint64_t kTurn = 512;  // instructions that a warp executes before the next warp has its turn

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  return a * 0x9e3779b97f4a7c15ULL ^ (b + 1) * 0xbf58476d1ce4e5b9ULL;
}

std::size_t shared_bytes(const Grid& grid) {
  const std::size_t reserved = grid.program->reserved_shared();
  return reserved == 0 ? grid.own_shared() : grid.reserved_shared_begin() + reserved;
}

}  // namespace

Block::Block(const Grid& grid, std::uint64_t index)
    : grid_(&grid),
      index_(index),
      shared_(shared_bytes(grid)),
      checks_(grid, index, (grid.launch->block.count() + kLanes - 1) / kLanes),
      random_(mixed(grid.launch->options.seed, index)),
      shuffled_(grid.launch->options.seed != 0) {
  const Dim3& size = grid.launch->grid;
  coordinates_ = {static_cast<std::uint32_t>(index % size.x), static_cast<std::uint32_t>(index / size.x % size.y),
                  static_cast<std::uint32_t>(index / (std::uint64_t{size.x} * size.y))};
  const std::uint64_t threads = grid.launch->block.count();
  for (std::uint64_t first = 0; first < threads; first += kLanes) {
    const std::uint64_t count = std::min<std::uint64_t>(kLanes, threads - first);
    const Mask lanes = count == kLanes ? kAllLanes : (Mask{1} << count) - 1;
    warps_.push_back(std::make_unique<Warp>(*this, static_cast<unsigned>(first / kLanes), lanes));
  }
  const std::size_t reserved = grid.program->reserved_shared();
  if (reserved > 0) shared_.initialised_bytes().fill(grid.reserved_shared_begin(), reserved, true);
  order_.resize(warps_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  counters_.blocks = 1;
  counters_.warps = warps_.size();
}

Block::Status Block::run(std::uint64_t budget) {
  std::uint64_t done = 0;
  while (done < budget) {
    if (shuffled_) std::shuffle(order_.begin(), order_.end(), random_);
    std::uint64_t round = 0;
    bool all_finished = true, all_wait = true;
    for (unsigned index : order_) {
      Warp& warp = *warps_[index];
      if (warp.finished()) continue;
      const std::uint64_t executed = warp.run(shuffled_ ? 1 + random_() % (2 * kTurn) : kTurn);
      round += executed;
      all_finished = all_finished && warp.finished();
      all_wait = all_wait && !warp.finished() && (executed == 0 || warp.waits());
    }
    done += round;
    executed_ += round;
    if (all_finished) return Status::kDone;
    if (complete_barriers()) continue;
    if (round == 0) report_deadlock();
    if (all_wait) return Status::kWaiting;
  }
  return Status::kRunning;
}

// ---- barriers -------------------------------------------------------------------------------------------------------

bool Block::arrive(Warp& warp, unsigned barrier, bool waits, unsigned expected, unsigned votes_for, unsigned votes) {
  Barrier& at = barriers_[barrier];
  if (at.arrived > 0 && at.expected != expected)
    fail(warp, 0, Finding::Kind::kDivergentBarrier,
         "barrier " + std::to_string(barrier) + ": this warp expects " + std::to_string(expected) +
             " threads, those that wait there " + std::to_string(at.expected) + " (0: all of the block)");
  ++counters_.barriers;
  at.expected = expected;
  at.arrived += kLanes;
  if (waits) at.members.push_back(warp.index());
  if (Order* order = checks_.order()) order->arrive(warp.index(), barrier);
  at.votes_for += votes_for;
  at.votes += votes;
  const unsigned before = at.arrived;
  complete_barriers();
  return at.arrived < before;
}

// Completes the barriers at which all remaining warps have arrived. Warps that have exited are not expected to arrive.
bool Block::complete_barriers() {
  const auto alive = static_cast<unsigned>(
      std::count_if(warps_.begin(), warps_.end(), [](const auto& warp) { return !warp->finished(); }));
  bool any = false;
  for (unsigned id = 0; id < barriers_.size(); ++id) {
    const Barrier& barrier = barriers_[id];
    if (barrier.arrived == 0) continue;
    if (barrier.arrived < (barrier.expected == 0 ? alive * kLanes : barrier.expected)) continue;
    complete(id);
    any = true;
  }
  return any;
}

void Block::complete(unsigned id) {
  note_change();
  Barrier& barrier = barriers_[id];
  barrier.last_for = barrier.votes_for;
  barrier.last_votes = barrier.votes;
  if (Order* order = checks_.order()) {
    // The accesses of exited threads happen before a barrier of the whole block completes.
    for (const auto& warp : warps_)
      if (barrier.expected == 0 && warp->finished()) {
        order->meet(warp->index(), kAllLanes, kAllLanes);
        order->arrive(warp->index(), id);
      }
    for (unsigned member : barrier.members) order->pass(member, id);
    order->reset(id);
  }
  for (unsigned member : barrier.members) warps_[member]->wake(id);
  barrier.arrived = barrier.expected = barrier.votes_for = barrier.votes = 0;
  barrier.members.clear();
}

// ---- faults ---------------------------------------------------------------------------------------------------------

void Block::fail(const Warp& warp, unsigned lane, Finding::Kind kind, const std::string& what) const {
  throw Fault{finding(warp, lane, warp.code(), kind, what)};
}

Finding Block::finding(const Warp& warp, unsigned lane, const Code& code, Finding::Kind kind,
                       const std::string& what) const {
  Finding finding;
  finding.kind = kind;
  finding.what = what;
  finding.kernel = launch().kernel;
  finding.place = code.source->place;
  const auto& files = grid_->program->module().files;
  const auto file = files.find(finding.place.file);
  if (file != files.end()) finding.file = file->second;
  finding.instruction = code.source->text;
  finding.block = coordinates_;
  finding.thread = warp.thread_of(lane);
  return finding;
}

void Block::report_deadlock() {
  for (const auto& warp : warps_)
    for (const Split& split : warp->splits()) {
      if (split.wait != Split::Wait::kGather) continue;
      const Code& code = split.frame->function->code[split.pc];
      const auto lane = static_cast<unsigned>(__builtin_ctz(split.lanes));
      const Mask missing = split.wanted & warp->alive() & ~split.lanes;
      throw Fault{finding(*warp, lane, code, Finding::Kind::kDivergentBarrier,
                          "lanes of this warp that must take part do not come here: mask " + hexadecimal(missing))};
    }
  for (const auto& warp : warps_)
    for (const Split& split : warp->splits()) {
      if (split.wait != Split::Wait::kBarrier) continue;
      const Code& code = split.frame->function->code[split.pc];
      throw Fault{finding(*warp, static_cast<unsigned>(__builtin_ctz(split.lanes)), code, Finding::Kind::kDeadlock,
                          "barrier " + std::to_string(split.barrier) + ": " +
                              std::to_string(barriers_[split.barrier].arrived) +
                              " threads wait, the others never come")};
    }
}

}  // namespace vgpu

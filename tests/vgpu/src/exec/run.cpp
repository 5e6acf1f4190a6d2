// SPDX-License-Identifier: Apache-2.0
//
// Distributes the blocks of a grid to host threads (workers).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <numeric>
#include <thread>

#include "exec/block.h"
#include "exec/stall.h"
#include "memory/shadow.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kSlice = 1 << 20;  // instructions of a block before its worker switches to another block
constexpr std::size_t kSlices = 64;        // slices in which no block ends before one more block is started

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 0);
}

class GridRun {
 public:
  explicit GridRun(const Launch& launch)
      : launch_(launch), grid_{&launch, &launch.module->program(), nullptr, ++launches_}, count_(launch.grid.count()) {
    if (launch.options.seed != 0) {
      order_.resize(count_);
      std::iota(order_.begin(), order_.end(), std::uint64_t{0});
      std::mt19937_64 random(launch.options.seed);
      std::shuffle(order_.begin(), order_.end(), random);
    }
  }

  LaunchResult run() {
    try {
      grid_.kernel = &grid_.program->function(launch_.kernel);
    } catch (const ptx::Error& error) {
      Finding finding;
      finding.kind = Finding::Kind::kIllegalInstruction;
      finding.what = error.what();
      finding.kernel = launch_.kernel;
      result_.finding = finding;
      return result_;
    }
    if (launch_.cooperative) provide_workspace();
    unsigned workers = launch_.options.workers != 0 ? launch_.options.workers : std::thread::hardware_concurrency();
    workers = static_cast<unsigned>(std::min<std::uint64_t>(std::max(workers, 1u), count_));
    StallState stall(workers);
    std::vector<std::thread> others;
    for (unsigned i = 1; i < workers; ++i)
      others.emplace_back([this, workers, i, &stall] { work(workers, StallWatch(stall, i)); });
    work(workers, StallWatch(stall, 0));
    for (std::thread& other : others) other.join();
    if (launch_.cooperative) launch_.heap->release(grid_.workspace);
    launch_.heap->discard_retired();
    for (const auto& [index, text] : printed_) result_.printed += text;
    return std::move(result_);
  }

 private:
  // Allocates what cooperative_groups finds through %envreg1 and %envreg2: the size of its workspace and the barrier of
  // the grid.
  void provide_workspace() {
    constexpr std::size_t kSize = 64;
    Allocation* workspace = launch_.heap->allocate(Allocation::Kind::kVariable, kSize, 0, "the grid's barrier");
    if (workspace == nullptr) throw std::bad_alloc();
    std::memset(workspace->bytes, 0, kSize);
    workspace->shadow->set_initialised(0, kSize, true);
    grid_.workspace = workspace->address;
  }

  // If all resident blocks wait, more blocks are started, since the resident ones may be waiting for those. The same is
  // done if the resident blocks run for long. The number of resident blocks grows by a quarter each time. All blocks of
  // a cooperative grid are resident from the start.
  void work(unsigned workers, StallWatch&& stall) {
    std::deque<std::unique_ptr<Block>> resident;
    const std::size_t share = launch_.cooperative ? (count_ + workers - 1) / workers : 1;
    std::size_t wanted = share;
    std::size_t slices = 0;  // since the last block ended
    std::unique_ptr<Block> block;
    try {
      while (!stopped_) {
        while (resident.size() < wanted) {
          const std::uint64_t next = next_.fetch_add(1);
          if (next >= count_) break;
          resident.push_back(std::make_unique<Block>(grid_, order_.empty() ? next : order_[next]));
        }
        if (resident.empty()) return;
        block = std::move(resident.front());
        resident.pop_front();
        const Block::Status status = block->run(launch_.cooperative ? kSlice / 64 : kSlice);
        if (status == Block::Status::kDone) {
          stall.after_turn(*block, resident, false, true);
          collect(*block);
          wanted = share;
          slices = 0;
          continue;
        }
        resident.push_back(std::move(block));
        const bool waits = status == Block::Status::kWaiting;
        if (const auto stalled = stall.after_turn(*resident.back(), resident, waits, next_ < count_))
          throw Fault{*stalled};
        if (waits || ++slices % kSlices == 0) wanted = resident.size() + 1 + resident.size() / 4;
      }
    } catch (const Fault& fault) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!result_.finding) result_.finding = fault.finding;
      stopped_ = true;
      if (block != nullptr) keep_text(*block);  // null if a block failed in its constructor
      for (const auto& other : resident) keep_text(*other);
    }
  }

  void collect(Block& block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    result_.counters += block.counters();
    keep_text(block);
  }

  void keep_text(const Block& block) {
    if (!block.printed().empty()) printed_[block.index()] = block.printed();
  }

  const Launch& launch_;
  Grid grid_;
  std::uint64_t count_;
  std::vector<std::uint64_t> order_;  // empty if blocks run in ascending order
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  LaunchResult result_;
  std::map<std::uint64_t, std::string> printed_;

  static inline std::atomic<std::uint64_t> launches_{0};
};

}  // namespace

std::string hexadecimal(std::uint64_t value) { return fmt::format("{:#x}", value); }

Options options_from_environment() {
  Options options;
  options.workers = static_cast<unsigned>(number_from("VGPU_WORKERS", 0));
  options.seed = number_from("VGPU_SEED", 0);
  options.perturb = number_from("VGPU_PERTURB", 0);
  const char* checks = std::getenv("VGPU_CHECKS");
  if (checks != nullptr && std::string(checks) == "memory") options.check_initialised = options.check_races = false;
  return options;
}

Counters& Counters::operator+=(const Counters& other) {
  for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
    warp_instructions[pipe] += other.warp_instructions[pipe];
    thread_instructions[pipe] += other.thread_instructions[pipe];
  }
  for (auto field : {&Counters::global_loads, &Counters::global_stores, &Counters::global_load_bytes,
                     &Counters::global_store_bytes, &Counters::global_load_sectors, &Counters::global_store_sectors,
                     &Counters::global_atomics, &Counters::shared_requests, &Counters::shared_wavefronts,
                     &Counters::shared_conflicts, &Counters::local_requests, &Counters::branches,
                     &Counters::divergent_branches, &Counters::barriers, &Counters::blocks, &Counters::warps})
    this->*field += other.*field;
  return *this;
}

std::string Finding::text() const {
  static constexpr const char* kNames[] = {"illegal address",
                                           "misaligned address",
                                           "uninitialised memory",
                                           "race",
                                           "divergent barrier",
                                           "asynchronous copy",
                                           "assertion failed",
                                           "trap",
                                           "unknown instruction",
                                           "stack overflow",
                                           "deadlock"};
  std::string text = fmt::format("{}: {}\n  in kernel {}", kNames[static_cast<std::size_t>(kind)], what, kernel);
  if (instruction.empty()) return text;
  text += fmt::format(", block ({}, {}, {}), thread ({}, {}, {})\n  at PTX line {}: {}", block[0], block[1], block[2],
                      thread[0], thread[1], thread[2], place.line, instruction);
  if (!file.empty()) text += fmt::format("\n  from {}:{}", file, place.file_line);
  return text;
}

LaunchResult run(const Launch& launch) { return GridRun(launch).run(); }

}  // namespace vgpu

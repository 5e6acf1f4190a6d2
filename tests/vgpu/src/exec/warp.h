// SPDX-License-Identifier: Apache-2.0
//
// A warp of 32 lanes. Lanes at the same instruction of the same call form a split and execute together. A divergent
// branch divides a split, and splits that reach the same instruction are merged. The split that is deepest in calls and
// earliest in the code runs first, so that lanes reconverge; a split that runs for long while others are runnable
// yields to them, so that lanes can spin until another lane makes progress (independent thread scheduling).
#pragma once

#include <array>
#include <vector>

#include "exec/code.h"
#include "exec/frames.h"
#include "exec/undefined.h"

namespace vgpu {

class Block;
class Observer;  // exec/stall.h

struct Split {
  enum class Wait : std::uint8_t {
    kNone,
    kGather,   // waits at an instruction that more lanes of the warp have to reach
    kBarrier,  // waits at a barrier of the block
    kYield,    // continues after others have run
  };
  Mask lanes = 0;
  std::uint32_t pc = 0;  // index in frame->function->code
  Frame* frame = nullptr;
  Wait wait = Wait::kNone;
  Mask wanted = 0;     // kGather: the lanes that have to arrive
  bool woken = false;  // its barrier has completed: the instruction is executed again and then continues
  unsigned barrier = 0;
  std::uint64_t turn = 0;  // the number of its last turn in the warp
};

class Warp {
 public:
  Warp(Block& block, unsigned index, Mask lanes);

  // ---- for handlers -----------------------------------------------------------------------------------------------

  // Returns the lanes that execute the current instruction: those of the split whose guard predicate is true. In a
  // handler it is never empty.
  Mask active() const { return active_; }
  template <class T>
  T* lanes(Slot slot) {
    return reinterpret_cast<T*>(registers_ + slot);
  }
  Mask& predicate(Slot slot) { return *reinterpret_cast<Mask*>(registers_ + slot); }

  Block& block() const { return *block_; }
  LocalMemory& local() { return frames_.local(); }
  UndefinedValues& undefined() { return undefined_; }
  unsigned index() const { return index_; }
  Mask alive() const { return alive_; }  // lanes that have not exited
  Split& split() { return splits_[current_]; }
  const Code& code() const { return *code_; }  // the current instruction
  std::array<std::uint32_t, 3> thread_of(unsigned lane) const;

  void jump(std::uint32_t target);                                   // the active lanes jump to one target
  void jump_each(const std::array<std::uint32_t, kLanes>& targets);  // each active lane jumps to its own target
  void call(const Code& code, const Function& function);             // the active lanes; code.data is a CallData
  void return_from_call();
  void exit_lanes();
  // Only the lanes of `stay` continue with the current instruction; the other active lanes execute it again later.
  void separate(Mask stay);

  // Returns true if all living lanes of `wanted` execute this instruction now. Otherwise the split waits for them: the
  // handler must return at once and is executed again when more lanes have arrived.
  bool gather(Mask wanted);
  // The active lanes `lanes` wait until those of `wanted` have arrived. They become inactive, and the instruction is
  // executed again for them at that time.
  void wait_for(Mask lanes, Mask wanted);

  // The handler must return at once after calling one of these. The instruction is executed again when the barrier
  // wakes the split, which sets split().woken, or, after yield(), when others have run.
  void wait_at_barrier(unsigned barrier);
  void yield();
  // Lanes that spin do nothing but read memory that others write. Each such read (a look) lets other lanes have their
  // turn sooner. If a warp does nothing but look, waits() is true.
  void look() {
    streak_ += kLookCost;
    ++looks_;
  }
  void work() { looks_ = 0; }
  Observer* observer() const { return observer_; }

  // ---- for the block ------------------------------------------------------------------------------------------------

  // Executes up to `budget` instructions and returns their number, which is smaller if all lanes wait.
  std::uint64_t run(std::uint64_t budget);
  void wake(unsigned barrier);
  bool finished() const { return alive_ == 0; }
  bool waits() const { return looks_ >= kLooks; }
  void set_observer(Observer* observer) { observer_ = observer; }
  const std::vector<Split>& splits() const { return splits_; }

 private:
  // For how many instructions the lanes further ahead wait for those further back, as they would on a GPU at the point
  // of reconvergence, and how many of these instructions a look counts for.
  static constexpr std::uint64_t kPatience = 1 << 16, kLookCost = 1 << 12;
  static constexpr std::uint64_t kLooks = 16;

  bool choose();
  std::size_t next_split();
  void merge_splits();
  bool release_warp_barriers();
  bool is_warp_barrier(const Split& split) const;

  Block* block_;
  unsigned index_;
  Mask alive_;
  UndefinedValues undefined_;
  Frames frames_;
  std::vector<Split> splits_;

  std::size_t current_ = 0;
  std::byte* registers_ = nullptr;
  Mask active_ = 0;
  const Code* code_ = nullptr;
  Observer* observer_ = nullptr;  // observes what the warp reads; usually null
  bool reschedule_ = false;
  bool crowded_ = false;  // whether other splits are runnable as well
  Mask favoured_ = 0;     // lanes that run although others are further back; 0 if there are none
  std::uint64_t turns_ = 0;
  std::uint64_t looks_ = 0;   // number of looks in this turn since the last work()
  std::uint32_t stop_ = 0;    // the next instruction ahead at which another split of the frame waits
  std::uint64_t streak_ = 0;  // instructions since another runnable split had its turn
};

// The data that a call instruction copies to the callee's parameters, and back from its results.
struct CallData {
  std::vector<Site> arguments, results;  // in the frame of the caller
  const Function* target = nullptr;      // null for an indirect call
};

// Returns the value of a special register.
std::uint64_t special_value(const Warp& warp, unsigned lane, Special special);

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// 32 lanes. Lanes that stand at the same instruction of the same call form a split and run together; a divergent branch
// makes two splits of one, and splits that meet become one again. The split that stands deepest in calls and earliest in the
// code runs first, so that those ahead wait for those behind; one that runs long while others could run gives way, so that
// lanes which spin on what another lane will do get there (independent thread scheduling).
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
    kGather,   // at an instruction that wants more lanes of the warp than have come
    kBarrier,  // at a barrier of the block
    kYield,    // at an instruction that shall be tried again once others ran
  };
  Mask lanes = 0;
  std::uint32_t pc = 0;  // index in frame->function->code
  Frame* frame = nullptr;
  Wait wait = Wait::kNone;
  Mask wanted = 0;     // kGather: those it waits for
  bool woken = false;  // its barrier completed: the instruction, run again, may go on
  unsigned barrier = 0;
  std::uint64_t turn = 0;  // which turn of the warp's was its last
};

class Warp {
 public:
  Warp(Block& block, unsigned index, Mask lanes);

  // ---- for handlers -----------------------------------------------------------------------------------------------

  // Lanes that execute the current instruction: those of the split whose guard is true. Never empty in a handler.
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

  void jump(std::uint32_t target);                                   // the active lanes
  void jump_each(const std::array<std::uint32_t, kLanes>& targets);  // each active lane to its own
  void call(const Code& code, const Function& function);             // the active lanes; code.data is a CallData
  void return_from_call();
  void exit_lanes();
  // From here on only the lanes of `stay` execute the current instruction; the other active ones run it again, later.
  void separate(Mask stay);

  // True: all of `wanted` that are alive execute this instruction now. False: the split waits for them, the handler must
  // return at once and is run again when more have come.
  bool gather(Mask wanted);
  // These of the active lanes wait for the lanes they want, and no others with them: the instruction is run again for them
  // when more have come. They are no longer active.
  void wait_for(Mask lanes, Mask wanted);

  // The handler must return at once; the instruction is run again when the barrier wakes the split (then split().woken),
  // or, for yield(), when others have run.
  void wait_at_barrier(unsigned barrier);
  void yield();
  // Lanes that wait for others in a loop look at memory that others write, again and again, and touch no other. A look lets
  // other lanes have their turn sooner; a warp that does nothing else waits().
  void look() {
    streak_ += kLookCost;
    ++looks_;
  }
  void work() { looks_ = 0; }
  Observer* observer() const { return observer_; }

  // ---- for the block ------------------------------------------------------------------------------------------------

  // Executes up to `budget` instructions; returns how many. Fewer: the warp can do nothing more by itself.
  std::uint64_t run(std::uint64_t budget);
  void wake(unsigned barrier);
  bool finished() const { return alive_ == 0; }
  bool waits() const { return looks_ >= kLooks; }
  void set_observer(Observer* observer) { observer_ = observer; }
  const std::vector<Split>& splits() const { return splits_; }

 private:
  // Instructions in which the others wait for those behind, as on a GPU they would wait where the branches meet; and how
  // many of these a look is worth.
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
  Observer* observer_ = nullptr;  // of what the warp reads; mostly null
  bool reschedule_ = false;
  bool crowded_ = false;  // another split could run too
  Mask favoured_ = 0;     // lanes whose turn it is although others are behind; 0: none
  std::uint64_t turns_ = 0;
  std::uint64_t looks_ = 0;   // of this turn, since the warp last worked
  std::uint32_t stop_ = 0;    // where another split of the same frame stands ahead
  std::uint64_t streak_ = 0;  // instructions since the turn changed, while another split could run
};

// What a call instruction moves into the callee's parameters and back from its results.
struct CallData {
  std::vector<Site> arguments, results;  // in the caller's frame
  const Function* target = nullptr;      // null: indirect
};

// The value of a special register.
std::uint64_t special_value(const Warp& warp, unsigned lane, Special special);

}  // namespace vgpu

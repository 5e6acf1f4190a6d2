// SPDX-License-Identifier: Apache-2.0
//
// Functions in executable form: every operand is a slot of a register file, and every instruction a handler that
// processes the 32 lanes of a warp at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exec/counters.h"
#include "ptx/module.h"

namespace vgpu {

constexpr unsigned kLanes = 32;
using Mask = std::uint32_t;  // bit i: lane i
constexpr Mask kAllLanes = 0xffffffffu;
inline unsigned first_lane(Mask lanes) { return static_cast<unsigned>(__builtin_ctz(lanes)); }  // lanes is not 0

// Rounds `size` up to a multiple of `to`.
inline std::size_t aligned(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

// The byte offset of a register in the register file of its frame. A register is an array of 32 values of its own size,
// one per lane; a predicate is a single Mask. Immediates and addresses are registers that are never written.
using Slot = std::uint32_t;
constexpr Slot kNoSlot = 0xffffffffu;

class Warp;
struct Code;
using Handler = void (*)(Warp&, const Code&);

struct Code {
  Handler run = nullptr;
  Slot guard = kNoSlot;
  bool guard_negated = false;
  bool warp_barrier = false;  // bar.warp.sync
  Pipe pipe = Pipe::kAlu;
  ptx::Space space = ptx::Space::kGeneric;  // state space of a memory access
  std::uint8_t bytes = 0;                   // size of one element of a memory access
  std::uint8_t elements = 1;                // elements of a vector access
  std::uint8_t flags = 0;                   // defined by the handler
  std::uint32_t target = 0;                 // of a branch: the index in the code of the function
  std::int64_t offset = 0;                  // added to an address
  std::array<Slot, 16> operands{};          // in the order that the handler expects
  std::shared_ptr<const void> data;         // defined by the handler, for what does not fit into the fields above
  const ptx::Instruction* source = nullptr;
};

// Registers whose value is known when a warp starts and never changes.
enum class Special : std::uint8_t {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneid,
  kWarpid,
  kNwarpid,
  kSmid,
  kNsmid,
  kGridid,
  kLanemaskEq,
  kLanemaskLe,
  kLanemaskLt,
  kLanemaskGe,
  kLanemaskGt,
  kDynamicSharedBase,
  kDynamicSharedSize,
  kTotalSharedSize,
  kOne,
  kZero,
};

// A range of bytes in the local memory of a frame.
struct Site {
  std::uint32_t offset, size;
};

struct LocalVariable {
  Site site;
  const ptx::Variable* variable;
};

struct Function {
  struct SpecialUse {
    Slot slot;
    Special special;
    std::uint8_t size;  // bytes per lane: 2, 4 or 8
  };
  // A slot that holds the address of a variable in the frame's local memory.
  struct FrameAddress {
    Slot slot;
    std::uint32_t offset;
    std::uint8_t size;
  };

  const ptx::Function* source = nullptr;
  std::vector<Code> code;  // always ends with a return
  std::size_t register_bytes = 0;
  std::size_t constants_begin = 0;   // offset in the register file
  std::vector<std::byte> constants;  // the initial bytes from that offset on
  std::vector<SpecialUse> specials;
  std::vector<FrameAddress> frame_addresses;
  std::vector<Site> parameters, results;       // empty for kernels
  std::vector<LocalVariable> local_variables;  // all variables in the frame, by offset
  // Bytes of the locals, parameters and results of this function, and of the parameters and results of its calls.
  std::size_t local_bytes = 0;
};

}  // namespace vgpu

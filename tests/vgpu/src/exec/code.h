// SPDX-License-Identifier: Apache-2.0
//
// Functions in executable form: every operand is a slot of a register file, and every instruction a handler that processes the
// 32 lanes of a warp at once.
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

// `size` rounded up to a multiple of `to`.
inline std::size_t aligned(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

// Byte offset of a register in its frame's register file. A register is an array of 32 values of its own size, one per lane;
// a predicate is one Mask. Immediates and addresses are registers that nothing writes.
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
  ptx::Space space = ptx::Space::kGeneric;  // of a memory access
  std::uint8_t bytes = 0;                   // of one element of a memory access
  std::uint8_t elements = 1;                // of a vector access
  std::uint8_t flags = 0;                   // the handler's own
  std::uint32_t target = 0;                 // of a branch: index in the function's code
  std::int64_t offset = 0;                  // added to an address
  std::array<Slot, 16> operands{};          // in the order the handler wants them
  std::shared_ptr<const void> data;         // the handler's own, where the fields do not suffice
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

// A piece of a frame's local memory.
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
    std::uint8_t size;  // bytes of a lane: 2, 4 or 8
  };
  // A slot that holds the address of something in the frame's part of local memory.
  struct FrameAddress {
    Slot slot;
    std::uint32_t offset;
    std::uint8_t size;
  };

  const ptx::Function* source = nullptr;
  std::vector<Code> code;  // ends with a return
  std::size_t register_bytes = 0;
  std::size_t constants_begin = 0;   // in the register file
  std::vector<std::byte> constants;  // the initial bytes from there on
  std::vector<SpecialUse> specials;
  std::vector<FrameAddress> frame_addresses;
  std::vector<Site> parameters, results;       // not of kernels
  std::vector<LocalVariable> local_variables;  // all that the frame holds, by offset
  std::size_t local_bytes = 0;  // locals, parameters and results of this function and of the calls it makes
};

}  // namespace vgpu

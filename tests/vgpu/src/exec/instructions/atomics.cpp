// SPDX-License-Identifier: Apache-2.0
//
// atom and red. The lanes of a warp perform their operations in ascending order of lane numbers, or in a pseudo-random
// order if a seed is set.
#include "exec/access.h"
#include "exec/block.h"
#include "exec/instructions/atomic_operations.h"
#include "exec/instructions/families.h"
#include "exec/instructions/ordering.h"
#include "memory/spaces.h"

namespace vgpu {
namespace {

using ptx::Type;

enum Flag : std::uint8_t { kCompares = 1, kReleases = 2 };

std::uint64_t scrambled(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

// The order depends only on the seed, the indices of the block and the warp, and the number of instructions executed,
// so a run with the same seed can be reproduced.
std::array<std::uint8_t, kLanes> lane_order(const Warp& warp) {
  std::array<std::uint8_t, kLanes> order{};
  for (unsigned lane = 0; lane < kLanes; ++lane) order[lane] = static_cast<std::uint8_t>(lane);
  const Block& block = warp.block();
  std::uint64_t random = block.launch().options.seed;
  if (random == 0) return order;
  const auto executed = warp.block().counters().thread_instructions[static_cast<std::size_t>(Pipe::kLoadStore)];
  for (const std::uint64_t part : {block.index(), std::uint64_t{warp.index()}, executed})
    random = scrambled(random + part + 0x9e3779b97f4a7c15ULL);
  for (unsigned left = kLanes; left > 1; --left) {
    std::swap(order[left - 1], order[random % left]);
    random = scrambled(random + left);
  }
  return order;
}

// Operands: the address, the results (one per element), then the second operands (one per element) and, for cas, the
// third operand.
template <class T, class F>
void run_atomic(Warp& warp, const Code& code) {
  Access access{Access::Kind::kAtomic, code.space, std::uint32_t{code.bytes} * code.elements, true, {}, {}};
  access.relaxed = (code.flags & kReleases) == 0;
  read_addresses(warp, code, 0, access);
  resolve(warp, access);
  const std::size_t elements = code.elements;
  bool changes = false;
  for (const std::uint8_t lane : lane_order(warp)) {
    if ((warp.active() >> lane & 1) == 0) continue;
    const bool global = code.space == ptx::Space::kGlobal ||
                        (code.space == ptx::Space::kGeneric && space_of(access.address[lane]) == ptx::Space::kGlobal);
    for (std::size_t element = 0; element < elements; ++element) {
      Given<T> given{warp.lanes<T>(code.operands[1 + elements + element])[lane], T{}, global};
      if ((code.flags & kCompares) != 0) given.c = warp.lanes<T>(code.operands[3])[lane];
      std::byte* at = access.host[lane] + element * sizeof(T);
      const auto next = [&](T old) { return F{}(old, given); };
      T& result = warp.lanes<T>(code.operands[1 + element])[lane];
      if constexpr (sizeof(T) == 16) {
        result = replace_wide(at, next);
      } else {
        result = replace<T>(at, next);
      }
      changes = changes || !(next(result) == result);
    }
  }
  // An atomic that changes nothing is how a warp polls a lock, so it counts as polling in the detection of stalls.
  if (changes) {
    warp.work();
    warp.block().note_change();
  } else {
    warp.look();
  }
}

// Accepts the qualifiers in any order: the CUDA headers write atom.add.acquire.gpu.u32, nvcc writes
// atom.acquire.gpu.add.u32.
void decode_atomic(Decoder& d, bool returns) {
  Code& code = d.code();
  code.pipe = Pipe::kLoadStore;
  if (take_ordering(d)) code.flags |= kReleases;
  if (d.take_any("async")) d.unknown();
  ptx::Space space = ptx::Space::kGeneric;
  if (d.take_any("global")) space = ptx::Space::kGlobal;
  if (d.take_any("shared") || d.take_any("shared::cta") || d.take_any("shared::cluster")) space = ptx::Space::kShared;
  d.take_any("noftz");
  d.take_any("L2::cache_hint");
  for (const unsigned elements : {2u, 4u, 8u})
    if (d.take_any("v" + std::to_string(elements))) code.elements = static_cast<std::uint8_t>(elements);
  const std::string operation = d.take_word();
  const Type type = d.take_type();
  code.bytes = static_cast<std::uint8_t>(ptx::size_of(type));
  code.run = visit_operation(operation, type,
                             [](auto word, auto f) -> Handler { return run_atomic<decltype(word), decltype(f)>; });
  if (code.run == nullptr) d.unknown();
  const bool narrow = type == Type::kF16 || type == Type::kBF16 || type == Type::kF16x2 || type == Type::kBF16x2;
  if (code.elements > 1 && !narrow && !(type == Type::kF32 && operation == "add")) d.unknown();
  if (code.elements == 1 && narrow && operation != "add") d.unknown();
  if (operation == "cas") code.flags |= kCompares;
  if (!returns && (operation == "cas" || operation == "exch")) d.unknown();
  if (returns && code.elements == 8) d.unknown("more registers than an instruction may have here");

  const std::size_t address = returns ? 1 : 0;
  const auto elements_of = [&](std::size_t index) {
    const ptx::Operand& operand = d.operand(index);
    if (code.elements == 1) return std::vector<ptx::Operand>{operand};
    if (operand.elements.size() != code.elements) d.unknown("a vector of another length");
    return operand.elements;
  };
  d.address(d.operand(address), space, 0);
  std::size_t next = 1;
  if (returns)
    for (const ptx::Operand& result : elements_of(0)) code.operands[next++] = d.output(result, type);
  while (next <= code.elements) code.operands[next++] = d.builder().scratch(code.bytes);
  for (const ptx::Operand& value : elements_of(address + 1)) code.operands[next++] = d.input(value, type);
  if (operation == "cas") code.operands[3] = d.input(address + 2, type);
}

void decode_atom(Decoder& d) { decode_atomic(d, true); }
void decode_red(Decoder& d) { decode_atomic(d, false); }

}  // namespace

void add_atomics(InstructionTable& table) {
  table["atom"] = decode_atom;
  table["red"] = decode_red;
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// prefetch, prefetchu, applypriority, discard and createpolicy: hints to the caches. Caches are not modelled, and the
// hints do not change any result.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

void run_hint(Warp&, const Code&) {}

// Decodes a hint that takes an address. The address is not checked, since prefetching beyond the end of an allocation
// is harmless.
void decode_hint(Decoder& d, Space space) {
  d.address(d.operand(0), space, 0);
  set_handler(d, Pipe::kLoadStore, run_hint);
}

void decode_prefetch(Decoder& d) {
  const bool global = d.take("global");
  const bool local = !global && d.take("local");
  const bool second_level = d.take("L2") || (global && (d.take("L2::evict_last") || d.take("L2::evict_normal")));
  if (!second_level && !d.take("L1")) d.unknown();
  decode_hint(d, global ? Space::kGlobal : local ? Space::kLocal : Space::kGeneric);
}

void decode_prefetchu(Decoder& d) {
  if (!d.take("L1")) d.unknown();
  decode_hint(d, Space::kGeneric);
}

// Operands: address, size in bytes.
void decode_applypriority(Decoder& d) {
  const bool global = d.take("global");
  if (!d.take("L2::evict_normal") || d.operand_count() != 2) d.unknown();
  d.input(1, Type::kB64);
  decode_hint(d, global ? Space::kGlobal : Space::kGeneric);
}

// The contents of discarded memory are unspecified; here they are left unchanged. Operands: address, size in bytes.
void decode_discard(Decoder& d) {
  const bool global = d.take("global");
  if (!d.take("L2") || d.operand_count() != 2) d.unknown();
  d.input(1, Type::kB64);
  decode_hint(d, global ? Space::kGlobal : Space::kGeneric);
}

// A cache policy is opaque: programs only pass it on to other instructions as a hint, so any value will do.
void run_policy(Warp& warp, const Code& code) {
  for_each_lane(warp.active(), [&](unsigned lane) { warp.lanes<std::uint64_t>(code.operands[0])[lane] = 0; });
}

bool take_priority(Decoder& d) {
  return d.take("L2::evict_last") || d.take("L2::evict_first") || d.take("L2::evict_normal") ||
         d.take("L2::evict_unchanged");
}

// Operands: the policy, then one of: an optional fraction, an address with two sizes, or an access property.
void decode_createpolicy(Decoder& d) {
  Code& code = d.code();
  const std::string form = d.take_word();
  if (form == "fractional") {
    if (!take_priority(d)) d.unknown();
    take_priority(d);
    if (d.operand_count() > 1) d.input(1, Type::kF32);
  } else if (form == "range") {
    const bool global = d.take("global");
    if (!take_priority(d)) d.unknown();
    take_priority(d);
    d.address(d.operand(1), global ? Space::kGlobal : Space::kGeneric, 1);
    d.input(2, Type::kU32);
    d.input(3, Type::kU32);
  } else if (form == "cvt" && d.take("L2")) {
    d.input(1, Type::kB64);
  } else {
    d.unknown();
  }
  if (!d.take("b64")) d.unknown();
  code.operands[0] = d.output(0, Type::kB64);
  set_handler(d, Pipe::kAlu, run_policy);
}

}  // namespace

void add_cache_hints(InstructionTable& table) {
  table["prefetch"] = decode_prefetch;
  table["prefetchu"] = decode_prefetchu;
  table["applypriority"] = decode_applypriority;
  table["discard"] = decode_discard;
  table["createpolicy"] = decode_createpolicy;
}

}  // namespace vgpu

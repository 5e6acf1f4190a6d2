// SPDX-License-Identifier: Apache-2.0
//
// vote, activemask and match: collective predicates and comparisons within a warp.
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Type;

// ---- vote -----------------------------------------------------------------------------------------------------------

// Each functor returns the result for a group of lanes, given the lanes that vote for.
struct All {
  Mask operator()(Mask group, Mask votes) const { return votes == group ? group : 0; }
};
struct Any {
  Mask operator()(Mask group, Mask votes) const { return votes != 0 ? group : 0; }
};
struct Uniform {
  Mask operator()(Mask group, Mask votes) const { return votes == 0 || votes == group ? group : 0; }
};

Mask votes_of(Warp& warp, const Code& code) {
  const Mask votes = warp.predicate(code.operands[1]);
  return code.flags != 0 ? ~votes : votes;
}

// Operands: result, predicate, member mask. code.flags is set if the predicate is negated.
template <class Verdict>
void run_vote(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  const Mask votes = votes_of(warp, code);
  Mask result = 0;
  for_each_group(warp, code.operands[2], [&](Mask group, Mask) { result |= Verdict{}(group, votes & group); });
  set_predicate(warp, code.operands[0], result);
}

void run_ballot(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  const Mask votes = votes_of(warp, code);
  Mask* out = warp.lanes<Mask>(code.operands[0]);
  for_each_group(warp, code.operands[2],
                 [&](Mask group, Mask) { for_each_lane(group, [&](unsigned lane) { out[lane] = votes & group; }); });
}

void decode_vote(Decoder& d) {
  if (!d.take_any("sync")) d.unknown("vote without .sync is not of sm_70 and later");
  Code& code = d.code();
  code.pipe = Pipe::kAlu;
  bool negated = false;
  code.operands[1] = d.predicate_input(d.operand(1), &negated);
  code.operands[2] = d.input(2, Type::kB32);
  code.flags = negated ? 1 : 0;
  if (d.take("ballot")) {
    if (!d.take("b32")) d.unknown();
    code.operands[0] = d.output(0, Type::kB32);
    code.run = run_ballot;
    return;
  }
  code.run = d.take("all")   ? run_vote<All>
             : d.take("any") ? run_vote<Any>
             : d.take("uni") ? run_vote<Uniform>
                             : nullptr;
  if (code.run == nullptr || !d.take("pred")) d.unknown();
  code.operands[0] = d.predicate_output(d.operand(0));
}

void run_activemask(Warp& warp, const Code& code) {
  Mask* out = warp.lanes<Mask>(code.operands[0]);
  for_each_lane(warp.active(), [&](unsigned lane) { out[lane] = warp.active(); });
}

void decode_activemask(Decoder& d) {
  if (!d.take("b32")) d.unknown();
  d.code().operands[0] = d.output(0, Type::kB32);
  set_handler(d, Pipe::kAlu, run_activemask);
}

// ---- match ----------------------------------------------------------------------------------------------------------

template <class T>
Mask lanes_with(const T* values, Mask group, T value) {
  Mask same = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) same |= Mask{values[lane] == value} << lane;
  return same & group;
}

// Operands: result, value, member mask, predicate.
template <class T>
void run_match_any(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  const T* values = warp.lanes<T>(code.operands[1]);
  std::array<Mask, kLanes> result{};
  for_each_group(warp, code.operands[2], [&](Mask group, Mask) {
    for_each_lane(group, [&](unsigned lane) { result[lane] = lanes_with(values, group, values[lane]); });
  });
  for_each_lane(warp.active(), [&](unsigned lane) { warp.lanes<Mask>(code.operands[0])[lane] = result[lane]; });
}

template <class T>
void run_match_all(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[2])) return;
  const T* values = warp.lanes<T>(code.operands[1]);
  std::array<Mask, kLanes> result{};
  Mask all = 0;
  for_each_group(warp, code.operands[2], [&](Mask group, Mask) {
    if (lanes_with(values, group, values[__builtin_ctz(group)]) != group) return;
    all |= group;
    for_each_lane(group, [&](unsigned lane) { result[lane] = group; });
  });
  for_each_lane(warp.active(), [&](unsigned lane) { warp.lanes<Mask>(code.operands[0])[lane] = result[lane]; });
  set_predicate(warp, code.operands[3], all);
}

void decode_match(Decoder& d) {
  const bool any = d.take("any");
  if (!any && !d.take("all")) d.unknown();
  if (!d.take("sync")) d.unknown();
  const Type type = d.take_type();
  Code& code = d.code();
  code.operands[0] = d.output(0, Type::kB32);
  code.operands[1] = d.input(1, type);
  code.operands[2] = d.input(2, Type::kB32);
  const auto& second = d.operand(0).second;
  if (any && !second.empty()) d.unknown();
  code.operands[3] = second.empty() ? d.builder().scratch(sizeof(Mask)) : d.predicate_output(second[0]);
  const bool wide = type == Type::kB64;
  if (!wide && type != Type::kB32) d.unknown();
  if (any) {
    set_handler(d, Pipe::kAlu, wide ? run_match_any<std::uint64_t> : run_match_any<std::uint32_t>);
  } else {
    set_handler(d, Pipe::kAlu, wide ? run_match_all<std::uint64_t> : run_match_all<std::uint32_t>);
  }
}

}  // namespace

void add_votes(InstructionTable& table) {
  table["vote"] = decode_vote;
  table["activemask"] = decode_activemask;
  table["match"] = decode_match;
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// shfl.sync: lanes exchange the values of their registers.
#include "exec/block.h"
#include "exec/instructions/families.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Type;

// The lane that `lane` reads from, and whether it lies within the segment from `least` to `most`.
struct Source {
  int lane;
  bool inside;
};
struct Up {
  Source operator()(int lane, int by, int, int most, int) const { return {lane - by, lane - by >= most}; }
};
struct Down {
  Source operator()(int lane, int by, int, int most, int) const { return {lane + by, lane + by <= most}; }
};
struct Butterfly {
  Source operator()(int lane, int by, int, int most, int) const { return {lane ^ by, (lane ^ by) <= most}; }
};
struct Index {
  Source operator()(int, int by, int least, int most, int segment) const {
    const int source = least | (by & ~segment);
    return {source, source <= most};
  }
};

// Operands: result, value, source lane or delta, clamp value with segment mask, member mask, predicate.
template <class Mode>
void run_shuffle(Warp& warp, const Code& code) {
  if (!meet_members(warp, code.operands[4])) return;
  const std::uint32_t* by = warp.lanes<std::uint32_t>(code.operands[2]);
  const std::uint32_t* bounds = warp.lanes<std::uint32_t>(code.operands[3]);
  const Mask* members = warp.lanes<Mask>(code.operands[4]);
  std::array<std::uint32_t, kLanes> value;
  std::memcpy(value.data(), warp.lanes<std::uint32_t>(code.operands[1]), sizeof value);
  std::uint32_t* out = warp.lanes<std::uint32_t>(code.operands[0]);
  Mask inside = 0;
  for_each_lane(warp.active(), [&](unsigned lane) {
    const int segment = static_cast<int>(bounds[lane] >> 8 & 31);
    const int clamp = static_cast<int>(bounds[lane] & 31);
    const int self = static_cast<int>(lane);
    const int least = self & segment;
    const Source source = Mode{}(self, static_cast<int>(by[lane] & 31), least, least | (clamp & ~segment), segment);
    if (!source.inside) {
      out[lane] = value[lane];
      return;
    }
    if (((members[lane] & warp.active()) >> source.lane & 1) == 0)
      warp.block().fail(warp, lane, Finding::Kind::kDivergentBarrier,
                        "shfl from an inactive lane: " + std::to_string(source.lane) + ", members " +
                            hexadecimal(members[lane]) + ", of which are active " +
                            hexadecimal(members[lane] & warp.active()));
    inside |= Mask{1} << lane;
    out[lane] = value[static_cast<std::size_t>(source.lane)];
  });
  set_predicate(warp, code.operands[5], inside);
}

void decode_shuffle(Decoder& d) {
  if (!d.take("sync")) d.unknown("shfl without .sync is not of sm_70 and later");
  Code& code = d.code();
  code.pipe = Pipe::kLoadStore;
  const std::string mode = d.take_word();
  if (mode == "up") {
    code.run = run_shuffle<Up>;
  } else if (mode == "down") {
    code.run = run_shuffle<Down>;
  } else if (mode == "bfly") {
    code.run = run_shuffle<Butterfly>;
  } else if (mode == "idx") {
    code.run = run_shuffle<Index>;
  } else {
    d.unknown();
  }
  if (!d.take("b32")) d.unknown();
  code.operands[0] = d.output(0, Type::kB32);
  for (std::size_t i = 1; i < 5; ++i) code.operands[i] = d.input(i, Type::kB32);
  const auto& second = d.operand(0).second;
  code.operands[5] = second.empty() ? d.builder().scratch(sizeof(Mask)) : d.predicate_output(second[0]);
}

}  // namespace

void add_shuffles(InstructionTable& table) { table["shfl"] = decode_shuffle; }

}  // namespace vgpu

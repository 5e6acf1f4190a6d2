// SPDX-License-Identifier: Apache-2.0
//
// mapa and getctarank. Clusters are not modelled: every cluster consists of a single block.
#include "exec/block.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Type;

// Operands: result, address, rank of a block in the cluster.
template <class T>
void run_mapa(Warp& warp, const Code& code) {
  const std::uint32_t* rank = warp.lanes<std::uint32_t>(code.operands[2]);
  for_each_lane(warp.active(), [&](unsigned lane) {
    if (rank[lane] != 0)
      warp.block().fail(warp, lane, Finding::Kind::kIllegalInstruction,
                        "block " + std::to_string(rank[lane]) + " of a cluster that has one");
    warp.lanes<T>(code.operands[0])[lane] = warp.lanes<T>(code.operands[1])[lane];
  });
}

void decode_mapa(Decoder& d) {
  d.take("shared::cluster");
  const Type type = d.take_type();
  if (type != Type::kU32 && type != Type::kU64) d.unknown();
  take_operands(d, type, {type, Type::kU32});
  set_handler(d, Pipe::kAlu, type == Type::kU32 ? run_mapa<std::uint32_t> : run_mapa<std::uint64_t>);
}

// Operands: result, address.
void run_rank(Warp& warp, const Code& code) {
  for_each_lane(warp.active(), [&](unsigned lane) { warp.lanes<std::uint32_t>(code.operands[0])[lane] = 0; });
}

void decode_getctarank(Decoder& d) {
  d.take("shared::cluster");
  const Type type = d.take_type();
  if (type != Type::kU32 && type != Type::kU64) d.unknown();
  take_operands(d, Type::kU32, {type});
  set_handler(d, Pipe::kAlu, run_rank);
}

}  // namespace

void add_clusters(InstructionTable& table) {
  table["mapa"] = decode_mapa;
  table["getctarank"] = decode_getctarank;
}

}  // namespace vgpu

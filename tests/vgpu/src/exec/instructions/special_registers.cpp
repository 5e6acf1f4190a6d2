// SPDX-License-Identifier: Apache-2.0
//
// Special registers that may change while a warp runs, or that only mov may read: clocks, the environment registers
// (%envreg) that the driver sets up, and performance counters.
#include <chrono>

#include "exec/block.h"
#include "exec/instructions/families.h"
#include "exec/instructions/lanes.h"

namespace vgpu {
namespace {

// %clock counts the instructions that the block has issued. This is reproducible as far as the launch itself is, and it
// advances while a thread waits.
struct Cycles {
  static std::uint64_t now(Warp& warp) {
    std::uint64_t issued = 0;
    for (const std::uint64_t of_pipe : warp.block().counters().warp_instructions) issued += of_pipe;
    return issued;
  }
};

struct Nanoseconds {
  static std::uint64_t now(Warp&) {
    const auto time = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
  }
};

struct GridWorkspace {
  static std::uint64_t now(Warp& warp) { return warp.block().grid().workspace; }
};

// The start of the shared memory reserved for the system, which cooperative_groups uses for tiles that span several
// warps.
struct ReservedShared {
  static std::uint64_t now(Warp& warp) { return warp.block().grid().reserved_shared_begin(); }
};
constexpr const char* kReservedShared = "%reserved_smem_offset_1";

struct Zero {
  static std::uint64_t now(Warp&) { return 0; }
};

template <class Source, class T, unsigned shift>
void run_read(Warp& warp, const Code& code) {
  const auto value = static_cast<T>(Source::now(warp) >> shift);
  T* out = warp.lanes<T>(code.operands[0]);
  for_each_lane(warp.active(), [&](unsigned lane) { out[lane] = value; });
}

struct Row {
  const char* name;
  std::size_t size;
  Handler run;
};
constexpr Row kRegisters[] = {
    {"%clock", 4, run_read<Cycles, std::uint32_t, 0>},
    {"%clock_hi", 4, run_read<Cycles, std::uint32_t, 32>},
    {"%clock64", 8, run_read<Cycles, std::uint64_t, 0>},
    {"%globaltimer", 8, run_read<Nanoseconds, std::uint64_t, 0>},
    {"%globaltimer_lo", 4, run_read<Nanoseconds, std::uint32_t, 0>},
    {"%globaltimer_hi", 4, run_read<Nanoseconds, std::uint32_t, 32>},
    {"%envreg1", 4, run_read<GridWorkspace, std::uint32_t, 32>},
    {"%envreg2", 4, run_read<GridWorkspace, std::uint32_t, 0>},
    {kReservedShared, 4, run_read<ReservedShared, std::uint32_t, 0>},
    {"%current_graph_exec", 8, run_read<Zero, std::uint64_t, 0>},
};

// Performance counters that were not set up and the remaining environment registers read as zero.
bool reads_as_zero(const std::string& name) { return name.rfind("%pm", 0) == 0 || name.rfind("%envreg", 0) == 0; }

}  // namespace

bool decode_special_register(Decoder& d, ptx::Type type) {
  const ptx::Operand& source = d.operand(1);
  if (source.kind != ptx::Operand::Kind::kRegister || d.register_size(source) != 0) return false;
  const std::size_t size = ptx::size_of(type);
  Handler handler = nullptr;
  if (reads_as_zero(source.name) && size == 4) handler = run_read<Zero, std::uint32_t, 0>;
  if (reads_as_zero(source.name) && size == 8) handler = run_read<Zero, std::uint64_t, 0>;
  for (const Row& row : kRegisters)
    if (source.name == row.name && size == row.size) handler = row.run;
  if (handler == nullptr) return false;
  if (source.name == kReservedShared) d.builder().program().reserve_shared();
  d.code().operands[0] = d.output(0, type);
  d.code().run = handler;
  return true;
}

}  // namespace vgpu

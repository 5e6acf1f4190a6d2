// SPDX-License-Identifier: Apache-2.0
//
// wmma.load and wmma.store between memory and the registers of a warp. Elements that are contiguous in both are moved
// in a single access.
#include <algorithm>
#include <string>

#include "exec/access.h"
#include "exec/block.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/matrix.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

struct Transfer {
  Fragment fragment;
  bool by_rows;  // the layout in memory
};

// The PTX ISA requires each row (or column, depending on the layout in memory) to be aligned to the size of the
// fragment that a lane holds. The CUDA C++ programming guide only requires the stride to be a multiple of 16 bytes, so
// beyond the first row only that is checked.
void check_alignment(Warp& warp, const Fragment& fragment, std::uint64_t first_row, std::uint64_t stride,
                     unsigned lane) {
  constexpr std::uint64_t kLeastStride = 16;
  const std::uint64_t size = fragment.registers.size() * fragment.register_bytes;
  const auto misaligned = [&](const std::string& what, std::uint64_t unit) {
    warp.block().fail(warp, lane, Finding::Kind::kMisaligned,
                      what + ", which is not a multiple of " + std::to_string(unit));
  };
  if (first_row % size != 0) misaligned("a matrix at " + hexadecimal(first_row), size);
  const std::uint64_t unit = std::min(size, kLeastStride);
  if (stride % unit != 0) misaligned("a matrix with a stride of " + std::to_string(stride) + " bytes", unit);
}

// Operands: address, stride between rows or columns in elements.
template <bool load>
void run_transfer(Warp& warp, const Code& code) {
  if (!meet_all(warp)) return;
  const auto& transfer = *static_cast<const Transfer*>(code.data.get());
  const Fragment& fragment = transfer.fragment;
  const std::uint32_t* stride = warp.lanes<std::uint32_t>(code.operands[1]);
  const std::size_t element_bytes = code.bytes, per = fragment.per_register();
  const std::size_t run = transfer.by_rows ? per : 1;  // elements per access
  Access access{load ? Access::Kind::kRead : Access::Kind::kWrite, code.space,
                static_cast<std::uint32_t>(run * element_bytes)};
  Access base = access;
  read_addresses(warp, code, 0, base);
  for (unsigned lane = 0; lane < kLanes; ++lane)
    check_alignment(warp, fragment, base.address[lane], stride[lane] * element_bytes, lane);

  for (std::size_t reg = 0; reg < fragment.registers.size(); ++reg) {
    std::byte* registers = warp.lanes<std::byte>(fragment.registers[reg]);
    for (std::size_t first = 0; first < per; first += run) {
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        const std::size_t place = fragment.places[(reg * kLanes + lane) * per + first];
        const std::size_t row = place / fragment.columns, column = place % fragment.columns;
        const std::size_t index = transfer.by_rows ? row * stride[lane] + column : column * stride[lane] + row;
        access.address[lane] = base.address[lane] + index * element_bytes;
      }
      resolve(warp, access);
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        std::byte* held = registers + lane * fragment.register_bytes + first * element_bytes;
        if constexpr (load) {
          std::memcpy(held, access.host[lane], access.bytes);
        } else {
          std::memcpy(access.host[lane], held, access.bytes);
        }
      }
    }
  }
}

void decode_transfer(Decoder& d, bool load) {
  Code& code = d.code();
  const std::string matrix = d.take_word();
  if (load ? matrix != "a" && matrix != "b" && matrix != "c" : matrix != "d") d.unknown();
  if (!d.take("sync") || !d.take("aligned")) d.unknown();
  auto transfer = std::make_shared<Transfer>();
  transfer->by_rows = d.take("row");
  if (!transfer->by_rows && !d.take("col")) d.unknown();
  const Shape shape = take_shape(d);
  Space space = Space::kGeneric;
  if (d.take("global")) space = Space::kGlobal;
  if (d.take("shared") || d.take("shared::cta")) space = Space::kShared;
  const Type type = d.take_type();
  Fragment& fragment = transfer->fragment;
  fragment = fragment_of(d, type, matrix == "b" ? shape.k : shape.m, matrix == "a" ? shape.k : shape.n);
  if (fragment.size() == 0 || fragment.size() > 512) d.unknown("another shape");
  take_registers(d, d.operand(load ? 0 : 1), load, Role::kOpaque, fragment);
  code.bytes = static_cast<std::uint8_t>(fragment.register_bytes / fragment.per_register());
  d.address(d.operand(load ? 1 : 0), space, 0);
  code.operands[1] = d.operand_count() > 2
                         ? d.input(2, Type::kU32)
                         : d.builder().constant(transfer->by_rows ? fragment.columns : fragment.rows, 4);
  code.data = transfer;
  set_handler(d, Pipe::kLoadStore, load ? run_transfer<true> : run_transfer<false>);
}

void decode_wmma(Decoder& d) {
  if (d.take("load")) {
    decode_transfer(d, true);
  } else if (d.take("store")) {
    decode_transfer(d, false);
  } else if (d.take("mma")) {
    decode_wmma_product(d);
  } else {
    d.unknown();
  }
}

}  // namespace

void add_wmma(InstructionTable& table) { table["wmma"] = decode_wmma; }

}  // namespace vgpu

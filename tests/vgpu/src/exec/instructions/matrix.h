// SPDX-License-Identifier: Apache-2.0
//
// A matrix in the registers of a warp: where each element is, and how it is read and written. Values are doubles, which
// represent all elements exactly, and all products of two narrower elements.
#pragma once

#include <cstdint>
#include <vector>

#include "exec/decode.h"

namespace vgpu {

struct Fragment {
  ptx::Type type = ptx::Type::kNone;  // of an element
  unsigned rows = 0, columns = 0;
  std::size_t register_bytes = 4;
  std::vector<Slot> registers;  // none of constants: only Code::operands may name those
  // For each register, lane, and element in a register from the lowest bits on: where in the matrix, row by row.
  std::vector<std::uint16_t> places;
  bool saturates = false;  // integers that do not fit

  std::size_t size() const { return std::size_t{rows} * columns; }
  std::size_t per_register() const {
    return register_bytes / ptx::size_of(type == ptx::Type::kTF32 ? ptx::Type::kB32 : type);
  }
};

// A fragment of these elements. Unknown to the decoder where matrices have no such type.
Fragment fragment_of(Decoder& d, ptx::Type type, unsigned rows, unsigned columns);

// Takes the registers of a vector operand and lays out the matrix in them.
enum class Role : std::uint8_t {
  kA,       // of mma: [rows, k]
  kB,       // of mma: [k, columns]
  kC,       // of mma, and its result
  kOpaque,  // of wmma, where the layout is unspecified: our own, with as many copies of each element as fit
};
void take_registers(Decoder& d, const ptx::Operand& vector, bool writes, Role role, Fragment& fragment);

// Between the lanes and `matrix`, [rows, columns].
void read_fragment(Warp& warp, const Fragment& fragment, double* matrix);
void write_fragment(Warp& warp, const Fragment& fragment, const double* matrix);

struct Shape {
  unsigned m, n, k;
};
Shape take_shape(Decoder& d);  // "m16n8k16"

void decode_wmma_product(Decoder& d);  // wmma.mma, after these two words

}  // namespace vgpu

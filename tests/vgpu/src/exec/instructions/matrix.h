// SPDX-License-Identifier: Apache-2.0
//
// A matrix in the registers of a warp: where each element is, and how it is read and written. Values are doubles, which
// represent all elements exactly, and also all products of two elements narrower than f64.
#pragma once

#include <cstdint>
#include <vector>

#include "exec/decode.h"

namespace vgpu {

constexpr std::size_t kMostElements = 512;  // most elements of a matrix

struct Fragment {
  ptx::Type type = ptx::Type::kNone;  // type of an element
  unsigned rows = 0, columns = 0;
  std::size_t register_bytes = 4;
  std::vector<Slot> registers;  // never constants, which only Code::operands may refer to
  // For each register, each lane, and each element in a register from the lowest bits on: its index in the matrix in
  // row-major order.
  std::vector<std::uint16_t> places;
  bool saturates = false;  // whether integers that overflow are clamped

  std::size_t size() const { return std::size_t{rows} * columns; }
  std::size_t per_register() const {
    return register_bytes / ptx::size_of(type == ptx::Type::kTF32 ? ptx::Type::kB32 : type);
  }
};

// Returns a fragment with these elements. Rejects the instruction if matrices cannot have this type.
Fragment fragment_of(Decoder& d, ptx::Type type, unsigned rows, unsigned columns);

// Takes the registers of a vector operand and assigns the elements of the matrix to them.
enum class Role : std::uint8_t {
  kA,       // operand A of mma: [rows, k]
  kB,       // operand B of mma: [k, columns]
  kC,       // operand C and result D of mma
  kOpaque,  // wmma: unspecified in PTX; here, as many copies of each element as fit
};
void take_registers(Decoder& d, const ptx::Operand& vector, bool writes, Role role, Fragment& fragment);

// Copy the elements between the lanes and `matrix`, [rows, columns].
void read_fragment(Warp& warp, const Fragment& fragment, double* matrix);
void write_fragment(Warp& warp, const Fragment& fragment, const double* matrix);

struct Shape {
  unsigned m, n, k;
};
Shape take_shape(Decoder& d);  // such as "m16n8k16"

void decode_wmma_product(Decoder& d);  // after wmma.mma

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// ldmatrix, stmatrix and movmatrix: 8x8 matrices of 16-bit elements. Each lane holds two adjacent elements of a row, so
// four lanes hold a row.
#include "exec/access.h"
#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"
#include "exec/instructions/meeting.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

constexpr unsigned kSide = 8;
constexpr std::uint32_t kRowBytes = 16;

enum Flag : std::uint8_t { kTransposed = 1 };

using Matrix = std::array<std::array<std::uint16_t, kSide>, kSide>;

std::uint16_t& element_of(Matrix& matrix, unsigned lane, unsigned index, bool transposed) {
  const unsigned row = lane / 4, column = 2 * (lane % 4) + index;
  return transposed ? matrix[column][row] : matrix[row][column];
}

// The register of a lane holds its two elements, the first one in the lower half.
void give(Warp& warp, Slot slot, Matrix& matrix, bool transposed) {
  auto* halves = warp.lanes<std::uint16_t>(slot);
  for (unsigned i = 0; i < 2 * kLanes; ++i) halves[i] = element_of(matrix, i / 2, i % 2, transposed);
}

void collect(Warp& warp, Slot slot, Matrix& matrix, bool transposed) {
  const auto* halves = warp.lanes<std::uint16_t>(slot);
  for (unsigned i = 0; i < 2 * kLanes; ++i) element_of(matrix, i / 2, i % 2, transposed) = halves[i];
}

// The first eight lanes provide the row addresses of the first matrix, the next eight those of the second, and so on.
Access rows_of(Warp& warp, const Code& code, Access::Kind kind) {
  Access access{kind, code.space, kRowBytes};
  access.lanes = code.elements == 4 ? kAllLanes : (Mask{1} << kSide * code.elements) - 1;
  read_addresses(warp, code, 0, access);
  resolve(warp, access);
  return access;
}

// Operands: address, then one register per matrix.
void run_load(Warp& warp, const Code& code) {
  if (!meet_all(warp)) return;
  const Access access = rows_of(warp, code, Access::Kind::kRead);
  for (unsigned i = 0; i < code.elements; ++i) {
    Matrix matrix;
    for (unsigned row = 0; row < kSide; ++row) std::memcpy(matrix[row].data(), access.host[kSide * i + row], kRowBytes);
    give(warp, code.operands[1 + i], matrix, (code.flags & kTransposed) != 0);
  }
}

void run_store(Warp& warp, const Code& code) {
  if (!meet_all(warp)) return;
  const Access access = rows_of(warp, code, Access::Kind::kWrite);
  for (unsigned i = 0; i < code.elements; ++i) {
    Matrix matrix;
    collect(warp, code.operands[1 + i], matrix, (code.flags & kTransposed) != 0);
    for (unsigned row = 0; row < kSide; ++row) std::memcpy(access.host[kSide * i + row], matrix[row].data(), kRowBytes);
  }
}

void run_move(Warp& warp, const Code& code) {
  if (!meet_all(warp)) return;
  Matrix matrix;
  collect(warp, code.operands[1], matrix, false);
  give(warp, code.operands[0], matrix, true);
}

void decode_rows(Decoder& d, bool load) {
  Code& code = d.code();
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8")) d.unknown();
  code.elements = 0;
  for (const unsigned count : {1u, 2u, 4u})
    if (d.take("x" + std::to_string(count))) code.elements = static_cast<std::uint8_t>(count);
  if (d.take("trans")) code.flags |= kTransposed;
  Space space = Space::kGeneric;
  if (d.take("shared") || d.take("shared::cta")) space = Space::kShared;
  if (!d.take("b16")) d.unknown();
  const ptx::Operand& vector = d.operand(load ? 0 : 1);
  const std::vector<ptx::Operand> one{vector};
  const auto& registers = vector.kind == ptx::Operand::Kind::kVector ? vector.elements : one;
  if (registers.size() != code.elements) d.unknown("another number of registers");
  for (std::size_t i = 0; i < registers.size(); ++i)
    code.operands[1 + i] = load ? d.output(registers[i], Type::kB32) : d.input(registers[i], Type::kB32);
  d.address(d.operand(load ? 1 : 0), space, 0);
  set_handler(d, Pipe::kLoadStore, load ? run_load : run_store);
}

void decode_ldmatrix(Decoder& d) { decode_rows(d, true); }
void decode_stmatrix(Decoder& d) { decode_rows(d, false); }

void decode_movmatrix(Decoder& d) {
  for (const char* word : {"sync", "aligned", "m8n8", "trans", "b16"})
    if (!d.take(word)) d.unknown();
  take_operands(d, Type::kB32, {Type::kB32});
  set_handler(d, Pipe::kLoadStore, run_move);
}

}  // namespace

void add_matrix_moves(InstructionTable& table) {
  table["ldmatrix"] = decode_ldmatrix;
  table["stmatrix"] = decode_stmatrix;
  table["movmatrix"] = decode_movmatrix;
}

}  // namespace vgpu

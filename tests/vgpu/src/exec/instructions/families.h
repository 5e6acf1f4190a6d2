// SPDX-License-Identifier: Apache-2.0
//
// The instruction families. Each function enters the opcodes of its family into the table.
#pragma once

#include "exec/decode.h"

namespace vgpu {

void add_control(InstructionTable& table);          // bra, brx.idx, call, ret, exit, trap
void add_barriers(InstructionTable& table);         // bar, barrier
void add_shuffles(InstructionTable& table);         // shfl
void add_votes(InstructionTable& table);            // vote, activemask, match
void add_reductions(InstructionTable& table);       // redux, elect
void add_atomics(InstructionTable& table);          // atom, red
void add_fences(InstructionTable& table);           // membar, fence, nanosleep, griddepcontrol, setmaxnreg
void add_async_copies(InstructionTable& table);     // cp, cp.reduce
void add_mbarriers(InstructionTable& table);        // mbarrier
void add_clusters(InstructionTable& table);         // mapa, getctarank
void add_matrix_moves(InstructionTable& table);     // ldmatrix, stmatrix, movmatrix
void add_matrix_products(InstructionTable& table);  // mma
void add_wmma(InstructionTable& table);             // wmma
void add_moves(InstructionTable& table);            // mov, cvta, isspacep
void add_loads(InstructionTable& table);            // ld, ldu, st
void add_cache_hints(InstructionTable& table);      // prefetch, applypriority, discard, createpolicy
void add_carries(InstructionTable& table);          // addc, subc, madc
void add_narrow_integers(InstructionTable& table);  // mul24, mad24, sad, dp4a, dp2a, vabsdiff4
void add_bits(InstructionTable& table);             // popc, clz, bfind, brev, fns, bfe, bfi, szext, bmsk
void add_logic(InstructionTable& table);            // and, or, xor, not, cnot, lop3
void add_shifts(InstructionTable& table);           // shl, shr, shf, prmt
void add_arithmetic(
    InstructionTable& table);  // add, sub, mul, mad, fma, div, rem, abs, neg, min, max, rcp, sqrt of all types
void add_selection(InstructionTable& table);          // copysign, testp
void add_special_functions(InstructionTable& table);  // rsqrt, sin, cos, lg2, ex2, tanh
void add_conversions(InstructionTable& table);        // cvt
void add_comparisons(InstructionTable& table);        // set, setp
void add_choices(InstructionTable& table);            // selp, slct

// Decodes add, sub, mul, mad, div, rem, abs, neg, min and max of integers; add_arithmetic() enters these opcodes for
// all types.
void decode_integer_arithmetic(Decoder& d);
void decode_with_carry(Decoder& d);  // add, sub and mad with .cc
// Decodes a mov from a special register that is not among those of exec/special.cpp. Returns false if it is none of
// these either.
bool decode_special_register(Decoder& d, ptx::Type type);

}  // namespace vgpu

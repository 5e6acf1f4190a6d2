# SPDX-License-Identifier: Apache-2.0
"""The registers that an instruction reads and writes.

Registers have the names of the listing: R8, UR4, P0, UP1. A predicate that guards an instruction or decides a branch is
read as @P0, because it is needed earlier in the pipeline than an operand. RZ, PT and their like are no registers.
"""

import re

from .listing import Instruction

REGISTER = re.compile(r"(?<![\w.])(?P<kind>UR|UP|R|P)(?P<number>\d+)(?P<wide>\.64)?")
PREDICATE = re.compile(r"U?P(?:\d+|T)")
ADDRESS = re.compile(r"\[.*\]")

LOADS = {"LDS", "LDG", "LD", "LDL", "LDC", "ULDC", "LDCU"}
STORES = {"STS", "STG", "ST", "STL"}
GLOBAL = {"LDG", "STG", "LD", "ST", "RED", "REDG", "ATOM", "ATOMG"}
NO_RESULT = STORES | {"LDGSTS", "RED", "REDG", "BRA", "BAR", "EXIT", "CALL", "RET", "WARPSYNC", "BSSY", "BSYNC", "NOP",
                      "DEPBAR", "LDGDEPBAR", "MEMBAR", "ERRBAR", "CCTL", "YIELD"}  # fmt: skip
SETS_PREDICATES = {"ISETP", "FSETP", "DSETP", "HSETP2", "PSETP", "PLOP3", "UISETP", "UPLOP3", "UPSETP"}
PREDICATE_THEN_RESULT = {"LOP3", "ULOP3", "SHFL", "ATOM", "ATOMG", "ATOMS"}
PAIRS_OF_FLOATS = {"FFMA2", "FADD2", "FMUL2", "DADD", "DMUL", "DFMA"}
# Where .64 and its like describe only the operands, or only the result.
NARROW_RESULT = {"SHF", "USHF", "I2F", "UI2F", "ISETP", "UISETP", "DSETP"}
NARROW_SOURCE = {"SHF", "USHF", "F2I", "UF2I"}

# Registers of D, A, B and C (PTX ISA, matrix fragments for mma): by shape, with accumulators in fp32.
FRAGMENTS = {"1684": (4, 2, 1, 4), "1688": (4, 2, 1, 4), "16816": (4, 4, 2, 4)}
WIDE_FRAGMENTS = {"1688": (4, 4, 2, 4)}  # TF32 has half as many values per register


def fragments_of(instruction: Instruction) -> tuple[int, ...]:
    shape = instruction.modifiers[0]
    counts = (WIDE_FRAGMENTS if "TF32" in instruction.modifiers else {}).get(shape) or FRAGMENTS.get(shape, (4, 4, 2, 4))
    half = instruction.modifiers[1] == "F16"  # accumulators too
    return (2, counts[1], counts[2], 2) if half else counts


def width_of(instruction: Instruction) -> int:
    """32-bit registers of the data of a load or store, or of the result of an instruction."""
    opcode, modifiers = instruction.opcode, instruction.modifiers
    if opcode == "LDSM":
        return int(modifiers[-1]) if modifiers[-1] in ("2", "4") else 1
    if "128" in modifiers:
        return 4
    if opcode == "CS2R":
        return 1 if "32" in modifiers else 2
    wide = "64" in modifiers or opcode in PAIRS_OF_FLOATS
    if opcode not in LOADS | STORES:
        wide |= bool({"WIDE", "S64", "U64"} & set(modifiers))
    return 2 if wide and opcode not in NARROW_RESULT else 1


def named(operand: str, width: int = 1) -> list[str]:
    """The registers in an operand. `width` is that of the vector registers that do not say .64 themselves."""
    names = []
    for found in REGISTER.finditer(operand):
        kind, first = found["kind"], int(found["number"])
        count = 1 if kind in ("P", "UP") else 2 if found["wide"] else width
        names += [f"{kind}{first + i}" for i in range(count)]
    return names


def result_count(instruction: Instruction) -> int:
    """How many of the first operands are results."""
    opcode, operands = instruction.opcode, instruction.operands
    if opcode in NO_RESULT or not operands:
        return 0
    predicates = 0
    if PREDICATE.fullmatch(operands[0]):
        while predicates < min(2, len(operands)) and PREDICATE.fullmatch(operands[predicates]):
            predicates += 1
        if opcode in SETS_PREDICATES:
            return predicates
        return 2 if opcode in PREDICATE_THEN_RESULT else 1
    most = 1 if opcode.startswith("VOTE") else 2  # carries, after a vector result
    while predicates < most and len(operands) > 1 + predicates and PREDICATE.fullmatch(operands[1 + predicates]):
        predicates += 1
    return 1 + predicates


def source_width(instruction: Instruction, position: int) -> int:
    """Of an operand that is no address."""
    opcode, operands, modifiers = instruction.opcode, instruction.operands, set(instruction.modifiers)
    if opcode in STORES:
        return width_of(instruction)
    if opcode in PAIRS_OF_FLOATS or (opcode not in LOADS | NARROW_SOURCE and {"64", "S64", "U64"} & modifiers):
        return 2
    addend = max(i for i, operand in enumerate(operands) if not PREDICATE.fullmatch(operand.lstrip("!")))
    return 2 if "WIDE" in modifiers and position == addend else 1


def address_registers(instruction: Instruction, operand: str) -> list[str]:
    """Addresses in global memory have 64 bits, unless they say .U32; so have descriptors. LDGSTS reads from global memory
    with its second operand."""
    descriptor, _, rest = operand.rpartition("][") if operand.startswith("desc[") else ("", "", operand)
    wide = instruction.opcode in GLOBAL and "E" in instruction.modifiers
    registers = []
    for found in REGISTER.finditer(rest):
        pair = wide and found["kind"] == "R" and not rest[found.end() :].startswith((".U32", ".X"))
        registers += named(found[0], 2 if pair else 1)
    return named(descriptor, 2) + registers


def reads(instruction: Instruction) -> list[str]:
    registers = [f"@{instruction.guard}"] if REGISTER.fullmatch(instruction.guard) else []
    first, operands = result_count(instruction), instruction.operands
    for position in range(first, len(operands)):
        operand = operands[position]
        if instruction.opcode == "HMMA":
            registers += named(operand, fragments_of(instruction)[position])
        elif instruction.opcode == "BRA":
            registers += [f"@{name}" if "P" in name else name for name in named(operand)]
        elif operand == "PR":
            registers += [f"P{i}" for i in range(7)]
        elif ADDRESS.search(operand):
            registers += address_registers(instruction, operand)
        else:
            registers += named(operand, source_width(instruction, position))
    return registers


def writes(instruction: Instruction) -> list[str]:
    if instruction.opcode == "R2P":
        return [f"P{i}" for i in range(7)]
    width = fragments_of(instruction)[0] if instruction.opcode == "HMMA" else width_of(instruction)
    return [name for operand in instruction.operands[: result_count(instruction)] for name in named(operand, width)]

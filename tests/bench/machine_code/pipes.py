# SPDX-License-Identifier: Apache-2.0
"""The pipes of a multiprocessor: which one executes an instruction, and how long that occupies it.

Occupancy is in cycles of one scheduler per warp instruction. A pipe with L lanes per clock and multiprocessor takes 128 / L
(CUDA C++ Programming Guide, throughput of arithmetic instructions: 128 lanes of FMA, 64 on sm_75 and sm_80; 64 of integer
work; 16 of special functions; 32 of loads and stores).
"""

from .listing import Instruction
from .registers import LOADS, STORES, width_of

OPCODES = {
    "fma": {"FFMA", "FMUL", "FADD", "IMAD", "FFMA2", "FADD2", "FMUL2"},
    "special": {"MUFU", "I2F", "F2I", "F2F", "FRND", "I2FP", "POPC", "FLO"},
    "load_store": {"LDS", "STS", "LDG", "STG", "LDL", "STL", "LDSM", "LDGSTS", "ATOMS", "ATOMG", "RED", "SHFL", "LDC", "LD", "ST"},
    "tensor": {"HMMA", "IMMA", "DMMA", "HGMMA"},
    "control": {"BRA", "BAR", "EXIT", "NOP", "BSSY", "BSYNC", "WARPSYNC", "DEPBAR", "LDGDEPBAR", "CALL", "RET", "YIELD", "ERRBAR"},
}
PIPES = ("fma", "alu", "special", "load_store", "tensor", "uniform", "control")
ATOMICS = {"ATOM", "ATOMS", "ATOMG", "RED", "REDG"}

ISSUE_LANES = 128
FMA_CYCLES = {75: 2, 80: 2, 86: 1, 89: 1, 90: 1, 100: 1, 120: 1}
CYCLES = {"alu": 2, "special": 8, "load_store": 4, "uniform": 1, "control": 1}

# HMMA.1688.F32.TF32 and HMMA.16816.F32, from the peak rates of these GPUs: 128 products of TF32 per clock and scheduler on
# an A100, 32 on a GeForce. On sm_90 mma.sync reaches about 62 % of the peak, which is twice that of an A100 (Luo et al.,
# "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture via Microbenchmarking", 2024); sm_100 is assumed to be
# like it.
TENSOR_CYCLES = {75: 16, 80: 8, 86: 32, 89: 32, 90: 7, 100: 7, 120: 32}


def pipe_of(instruction: Instruction) -> str:
    """Uniform instructions have their own pipe, and all that is in no list is integer work."""
    for pipe, opcodes in OPCODES.items():
        if instruction.opcode in opcodes:
            return pipe
    return "uniform" if instruction.opcode.startswith(("U", "R2U")) else "alu"


def is_half_product(instruction: Instruction) -> bool:
    """Whether an HMMA has half the products of the largest shape of its type."""
    shape = instruction.modifiers[0]
    return shape == "1684" or (shape == "1688" and "TF32" not in instruction.modifiers)


def least_cycles(instruction: Instruction, arch: int) -> int:
    """Those that a pipe needs in the best case, for bounds."""
    pipe = pipe_of(instruction)
    if pipe == "fma":
        return FMA_CYCLES[arch]
    if instruction.opcode == "HMMA":
        return max(1, TENSOR_CYCLES[arch] // (2 if is_half_product(instruction) else 1))
    return CYCLES.get(pipe, TENSOR_CYCLES[arch])


def cycles_of(instruction: Instruction, arch: int) -> int:
    """Those that a pipe needs if each lane of a load or store has words of its own, in different banks or consecutive."""
    least = least_cycles(instruction, arch)
    moves_data = instruction.opcode in LOADS | STORES | {"LDSM"}
    return least * width_of(instruction) if moves_data and pipe_of(instruction) == "load_store" else least

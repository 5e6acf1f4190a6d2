# SPDX-License-Identifier: Apache-2.0
"""How many blocks of a kernel a multiprocessor holds.

The table is that of the CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". For 12.0 the
Blackwell Tuning Guide contradicts it (32 blocks, 128 KB, which include the L1 cache).
"""

import dataclasses

WARP = 32
SCHEDULERS = 4  # of a multiprocessor, on all of these
REGISTERS = 65536  # of a multiprocessor, on all of these
REGISTER_UNIT = 256  # registers of a warp are allocated in multiples of this
WARP_UNIT = 4  # a block's registers are divided among the schedulers
SHARED_UNIT = {75: 256}  # shared memory likewise, otherwise 128
RESERVED_SHARED = {75: 0}  # shared memory of each block that the system keeps, otherwise 1 KB


@dataclasses.dataclass(frozen=True)
class Multiprocessor:
    warps: int  # most
    blocks: int  # most
    shared: int  # bytes for all blocks


MULTIPROCESSORS = {
    75: Multiprocessor(32, 16, 64 << 10),
    80: Multiprocessor(64, 32, 164 << 10),
    86: Multiprocessor(48, 16, 100 << 10),
    89: Multiprocessor(48, 24, 100 << 10),
    90: Multiprocessor(64, 32, 228 << 10),
    100: Multiprocessor(64, 32, 228 << 10),
    120: Multiprocessor(48, 24, 100 << 10),
}


def round_up(value: int, unit: int) -> int:
    return (value + unit - 1) // unit * unit


def blocks_per_multiprocessor(arch: int, threads: int, registers: int, shared: int) -> int:
    """`registers` per thread; `shared`, static and dynamic, in bytes per block. 0 if not even one block fits."""
    most = MULTIPROCESSORS[arch]
    warps = round_up(threads, WARP) // WARP
    fitting_warps = REGISTERS // round_up(registers * WARP, REGISTER_UNIT) // WARP_UNIT * WARP_UNIT
    allocated = round_up(shared + RESERVED_SHARED.get(arch, 1024), SHARED_UNIT.get(arch, 128))
    limits = [most.blocks, most.warps // warps, fitting_warps // warps]
    if allocated > 0:
        limits.append(most.shared // allocated)
    return min(limits)


def warps_of_schedulers(warps: int) -> list[int]:
    """How a multiprocessor divides its warps among its schedulers."""
    return [warps // SCHEDULERS + (scheduler < warps % SCHEDULERS) for scheduler in range(SCHEDULERS)]

# SPDX-License-Identifier: Apache-2.0
"""A model of one scheduler, whose warps all execute the same loop.

In each cycle the scheduler issues one instruction of a warp whose registers are ready and whose pipe is free. Each warp
issues in order. Where several could issue, the warp that issued last goes on, otherwise the youngest (Huerta et al.,
"Analyzing Modern NVIDIA GPU cores", 2025). Nothing is known of register banks, of instruction fetch, of bank conflicts
and of barriers. Loads from global memory hit the L1 cache, and all instructions of the loop are executed.

Latencies, in cycles from issue to the issue of a dependent instruction:

- Fixed ones are the smallest distances that ptxas 13.0 leaves, according to the stall counts in its code for sm_80 to
  sm_120: 4 for FMA and integer work, 13 from a predicate to a branch or guard.
- Loads: 23 from shared memory, 33 from the L1 cache, 18 to 25 and more for HMMA (A100: Abdelkhalik et al., "Demystifying the
  Nvidia Ampere Architecture", 2022; Sun et al., "Dissecting Tensor Cores via Microbenchmarks", 2022).
- Guesses: 24 for special functions, as for a shuffle; up to four instructions wait for the pipe of special functions or of
  loads and stores before their scheduler stalls.
"""

import dataclasses
import functools
import math

from .listing import Instruction
from .pipes import PIPES, cycles_of, is_half_product, pipe_of
from .registers import reads, writes

FIXED_LATENCY = 4
LATENCIES = {"LDS": 23, "LDSM": 23, "LDL": 33, "LDG": 33, "LD": 33, "SHFL": 24, "ATOMS": 33, "ATOMG": 200, "LDC": 33,
             "R2UR": 13, "S2R": 24, "S2UR": 24, "HADD2": 5, "HFMA2": 6, "P2R": 10}  # fmt: skip
PIPE_LATENCIES = {"special": 24, "uniform": 6}
GUARD_LATENCY = 13  # of a predicate that decides a branch or whether an instruction executes
BRANCH_PAUSE = 5  # cycles after a branch in which its warp issues nothing
WAITING = {"special": 4, "load_store": 4}  # instructions that a pipe accepts before it is free

# Iterations of each warp, and their instructions, at least.
WARM_UP, LEAST_WARM_UP = 2, 200
MEASURED, LEAST_MEASURED = 4, 400


@dataclasses.dataclass(frozen=True)
class Throughput:
    cycles: float  # per iteration of one warp; W warps make W iterations in W times that
    utilisation: float  # of the issue slots


@dataclasses.dataclass(frozen=True)
class Step:
    """An instruction as the model sees it."""

    pipe: int
    cycles: int  # for which the pipe is occupied
    reads: tuple[str, ...]
    latencies: tuple[tuple[str, int], ...]  # of what it writes
    pause: int


def latency_of(instruction: Instruction, arch: int) -> int:
    pipe, cycles = pipe_of(instruction), cycles_of(instruction, arch)
    if pipe == "tensor":
        return max(cycles + 1, 18 if instruction.opcode == "HMMA" and is_half_product(instruction) else 25)
    latency = LATENCIES.get(instruction.opcode, PIPE_LATENCIES.get(pipe, FIXED_LATENCY))
    # The first word of a wide load comes no earlier than that of a narrow one, the last one later.
    return latency + cycles - cycles_of(Instruction("", instruction.opcode, (), ()), arch) if pipe == "load_store" else latency


@functools.cache
def step_of(instruction: Instruction, arch: int) -> Step:
    latency = latency_of(instruction, arch)
    latencies = []
    for name in writes(instruction):
        latencies.append((name, latency))
        if name.startswith(("P", "UP")):
            latencies.append((f"@{name}", max(latency, GUARD_LATENCY)))
    pause = BRANCH_PAUSE if instruction.opcode == "BRA" else 1
    pipe = PIPES.index(pipe_of(instruction))
    return Step(pipe, cycles_of(instruction, arch), tuple(reads(instruction)), tuple(latencies), pause)


class Warp:
    def __init__(self) -> None:
        self.issued = 0
        self.earliest = 0  # cycle in which the registers of the next instruction are ready
        self.ready: dict[str, int] = {}

    def look_at(self, step: Step, cycle: int) -> None:
        """Sets `earliest` for the next instruction, which may issue from this cycle on. Writes are not to overtake others."""
        ready = self.ready
        waits = [ready[name] for name in step.reads if name in ready]
        waits += [ready[name] - latency for name, latency in step.latencies if name in ready]
        self.earliest = max([cycle, *waits])


def run(steps: list[Step], warps: int, marks: tuple[int, int]) -> list[int]:
    """The cycles after which so many instructions have been issued, by all warps together."""
    pool = [Warp() for _ in range(warps)]
    backlog = [WAITING.get(pipe, 0) for pipe in PIPES]
    free = [0] * len(PIPES)  # cycle from which each pipe is free
    cycle, issued, last = 0, 0, 0
    reached: list[int] = []
    for warp in pool:
        warp.look_at(steps[0], 0)
    while len(reached) < len(marks):
        best, chosen = None, 0
        for index in (last, *range(warps - 1, -1, -1)):
            step = steps[pool[index].issued % len(steps)]
            at = max(cycle, pool[index].earliest, free[step.pipe] - backlog[step.pipe] * step.cycles)
            if best is None or at < best:
                best, chosen = at, index
            if best == cycle:
                break
        warp = pool[chosen]
        step = steps[warp.issued % len(steps)]
        start = max(best, free[step.pipe])
        free[step.pipe] = start + step.cycles
        for name, latency in step.latencies:
            warp.ready[name] = start + latency
        warp.issued += 1
        warp.look_at(steps[warp.issued % len(steps)], best + step.pause)
        cycle, issued, last = best + 1, issued + 1, chosen
        if issued == marks[len(reached)]:
            reached.append(cycle)
    return reached


@functools.cache
def throughput(body: tuple[Instruction, ...], warps: int, arch: int) -> Throughput:
    steps = [step_of(instruction, arch) for instruction in body]
    warm_up = max(WARM_UP, math.ceil(LEAST_WARM_UP / len(steps))) * warps
    measured = max(MEASURED, math.ceil(LEAST_MEASURED / len(steps))) * warps
    begin, end = run(steps, warps, (warm_up * len(steps), (warm_up + measured) * len(steps)))
    return Throughput((end - begin) / measured, measured * len(steps) / (end - begin))


def distances_to_use(body: tuple[Instruction, ...], opcode: str) -> list[int]:
    """For each instruction with this opcode, how many instructions later its result is first read, round the loop."""
    distances = []
    for position, instruction in enumerate(body):
        if instruction.opcode != opcode:
            continue
        result = set(writes(instruction))
        for distance in range(1, len(body) + 1):
            other = body[(position + distance) % len(body)]
            if result & set(reads(other)):
                distances.append(distance)
                break
            result -= set(writes(other))
    return distances

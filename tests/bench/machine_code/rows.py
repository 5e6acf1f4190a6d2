# SPDX-License-Identifier: Apache-2.0
"""The rows of the report: one for each described loop of each kernel."""

import concurrent.futures
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

from library_ptx import assemble, block_sizes, texts_for, texts_of

from .issue_model import distances_to_use, throughput
from .listing import Kernel, Loop, kernels_of
from .loops import KERNELS, LOOPS, KernelKind
from .occupancy import WARP, blocks_per_multiprocessor, round_up, warps_of_schedulers
from .pipes import ATOMICS, ISSUE_LANES, PIPES, least_cycles, pipe_of

MODELLED_WARPS = range(1, 9)  # of a scheduler


def counts(loop: Loop, elements: float, arch: int) -> dict:
    """Issue slots and instructions of each pipe for each element, and the elements per clock that they allow."""
    row: dict = {"elements": elements, "issue": len(loop.body) / elements}
    row |= {pipe: sum(pipe_of(instruction) == pipe for instruction in loop.body) / elements for pipe in PIPES}
    cycles = {"issue": row["issue"]}
    for pipe in ("fma", "alu", "special", "load_store", "tensor"):
        cycles[pipe] = sum(least_cycles(instruction, arch) for instruction in loop.body if pipe_of(instruction) == pipe) / elements
    row["limit"] = max(cycles, key=cycles.__getitem__)
    row["elements_per_clock"] = ISSUE_LANES / cycles[row["limit"]]
    return row


def modelled(loop: Loop, elements: float, warps: int, arch: int) -> dict:
    """What the issue model says, for the warps of a multiprocessor and for up to eight on each scheduler."""
    schedulers = [throughput(loop.body, count, arch) for count in warps_of_schedulers(warps) if count > 0]
    distances = distances_to_use(loop.body, "MUFU")
    table = {count: throughput(loop.body, count, arch) for count in MODELLED_WARPS}
    return {
        "modelled_elements_per_clock": sum(WARP * elements / one.cycles for one in schedulers),
        "modelled_utilisation": sum(one.utilisation for one in schedulers) / 4,
        "special_to_use_min": min(distances, default=None),
        "special_to_use_median": statistics.median_low(distances) if distances else None,
        "cycles_by_warps": {count: one.cycles for count, one in table.items()},
        "utilisation_by_warps": {count: one.utilisation for count, one in table.items()},
    }


def resources(kernel: Kernel, kind: KernelKind, used: dict, threads: int | None, arch: int) -> dict:
    """Registers, memory, and the blocks and warps of a multiprocessor, where the size of a block is known."""
    shared = used["shared"] + kind.dynamic_shared
    blocks = blocks_per_multiprocessor(arch, threads, used["registers"], shared) if threads else None
    return {
        "registers": used["registers"],
        "shared": used["shared"],
        "dynamic_shared": kind.dynamic_shared,
        "local_memory": used["stack"],
        "spills": used["stores"] + used["loads"],
        "atomics": sum(instruction.opcode in ATOMICS for instruction in kernel.instructions),
        "threads": threads,
        "blocks": blocks,
        "warps": None if blocks is None else blocks * round_up(threads, WARP) // WARP,
    }


def short_name(mangled: str) -> tuple[str, str]:
    """(kernel, template arguments) of a mangled name."""
    done = subprocess.run(["c++filt", mangled], capture_output=True, text=True, check=True)
    name = re.sub(r"(?:\(anonymous namespace\)|\w+)::", "", done.stdout.strip())
    found = re.search(r"(?:^|\s)(\w+)<(.*?)\s*>\(", name)
    if found is None:
        return name.partition("(")[0], ""
    return found[1], found[2].replace("__nv_bfloat16", "bf16").replace("__half", "fp16")


class Compiler:
    """Compiles the PTX in a library for an architecture, as a driver would, and describes the kernels in it."""

    def __init__(self, ptxas: str, nvdisasm: str, pattern: str = "", model: bool = True, others: KernelKind | None = None):
        self.ptxas, self.nvdisasm, self.pattern, self.model = ptxas, nvdisasm, pattern, model
        self.others = others  # describes kernels that KERNELS does not name

    def kind_of(self, kernel: str) -> KernelKind | None:
        return KERNELS.get(kernel, self.others) if re.search(self.pattern, kernel) else None

    def rows_of_text(self, text: bytes, arch: int) -> list[dict]:
        if self.others is None and not any(kernel.encode() in text for kernel in KERNELS if re.search(self.pattern, kernel)):
            return []
        with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
            used = assemble(self.ptxas, text, arch, cubin.name)
            command = [self.nvdisasm, "--print-code", cubin.name]
            sass = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        threads, rows = block_sizes(text), []
        for mangled, kernel in kernels_of(sass).items():
            name, arguments = short_name(mangled)
            kind = self.kind_of(name)
            for loop_kind in kind.loops if kind else ():
                loop = loop_kind.find(kernel)
                if loop is None:
                    continue
                elements = loop_kind.elements(loop)
                row = {"arch": arch, "kernel": name, "arguments": arguments, "loop": loop_kind.name}
                row |= counts(loop, elements, arch) | resources(kernel, kind, used[mangled], threads.get(mangled), arch)
                if self.model:
                    row |= modelled(loop, elements, row["warps"] or 0, arch)
                rows.append(row)
        return rows

    def rows(self, library: pathlib.Path, architectures: list[int]) -> list[dict]:
        oldest = min(texts_of(library), default=None)
        if oldest is None or oldest > min(architectures):
            raise SystemExit(f"{library}: expected PTX for sm_{min(architectures)}, got {oldest and f'sm_{oldest}'}")
        jobs = [(text, arch) for arch in architectures for text in texts_for(library, arch)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            rows = [row for found in pool.map(lambda job: self.rows_of_text(*job), jobs) for row in found]
        order = [kind.name for kind in LOOPS]
        return sorted(rows, key=lambda row: (row["arch"], row["kernel"], row["arguments"], order.index(row["loop"])))

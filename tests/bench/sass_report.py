# SPDX-License-Identifier: Apache-2.0
"""What the compiled kernels do for each element: counts of the machine code of their hot loops, and the bounds that follow.

    pip install nvidia-cuda-nvdisasm
    python tests/bench/sass_report.py build/dev/host/libattn_cuda.so --arch 80 90 --kernel additive

Compiles the PTX in the library for each architecture, as a driver would, and disassembles it. machine_code/loops.py says which
loops of which kernels are described. Two tables follow:

- Counts for each element, with the bound: the largest rate at which a multiprocessor can issue these instructions, which
  knows nothing of latencies and memory. Next to it the rate in a model of the schedulers (machine_code/issue_model.py), for as
  many warps as fit on a multiprocessor, and how many instructions after a special function its result is needed: the
  least and the median distance.
- Cycles of a scheduler for one iteration of one warp in that model, and the share of issue slots used, for 1 to 8 warps.

--check FILE compares the columns of --json with the limits in FILE (machine_code/limits.py).
"""

import argparse
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from machine_code.limits import check, read_limits
from machine_code.loops import LOOPS, KernelKind
from machine_code.occupancy import MULTIPROCESSORS
from machine_code.rows import MODELLED_WARPS, Compiler

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # exit status that makes ctest report a test as skipped
COUNTS = {"issue": "issue slots", "fma": "FMA", "alu": "ALU", "special": "special", "load_store": "load, store", "tensor": "tensor"}


def print_table(header: list[str], lines: list[list[str]]) -> None:
    for line in (header, ["---"] * len(header), *lines):
        print(f"| {' | '.join(line)} |")


def shown(value: object, form: str = "") -> str:
    return "?" if value is None else format(value, form)


def print_markdown(rows: list[dict]) -> None:
    first, second = [], []
    for row in rows:
        name = [str(row["arch"]), f"`{row['kernel']}<{row['arguments']}>`", row["loop"]]
        first.append([
            *name, *(f"{row[key]:.2f}" for key in COUNTS),
            f"{row['elements_per_clock']:.1f}", row["limit"], str(row["registers"]), f"{(row['shared'] + row['dynamic_shared']) / 1024:.1f}",
            str(row["spills"]), f"{shown(row['blocks'])}, {shown(row['warps'])}",
            f"{row['modelled_elements_per_clock']:.1f}" if row["warps"] else "?",
            f"{shown(row['special_to_use_min'])}, {shown(row['special_to_use_median'])}",
        ])  # fmt: skip
        second.append([
            *name, *(f"{row['cycles_by_warps'][w]:.0f}, {row['utilisation_by_warps'][w]:.0%}" for w in MODELLED_WARPS)
        ])  # fmt: skip
    print_table(["sm", "kernel", "loop", *COUNTS.values(), "elements per clock and SM, at most", "limit", "registers", "shared, KB",
                 "spills", "blocks, warps", "modelled", "special to use"], first)  # fmt: skip
    print()
    print_table(["sm", "kernel", "loop", *(f"{w} warp{'s' * (w > 1)}" for w in MODELLED_WARPS)], second)


def find_nvdisasm(ptxas: str) -> str | None:
    """From the Python package, also where only .venv has it, or from a CUDA toolkit."""
    folders = [*map(pathlib.Path, sys.path), *ROOT.glob(".venv/lib/python3*/site-packages")]
    files = [folder / "nvidia/cu13/bin/nvdisasm" for folder in folders] + [pathlib.Path(ptxas).with_name("nvdisasm")]
    return next((str(file) for file in files if file.exists()), shutil.which("nvdisasm"))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=pathlib.Path, help="a library, or a file of PTX")
    parser.add_argument("--arch", type=int, nargs="+", choices=sorted(MULTIPROCESSORS), default=[90])
    parser.add_argument("--kernel", default="", help="regular expression that the name of a kernel must match")
    parser.add_argument("--all-kernels", action="store_true", help="look for the same loops in kernels that loops.py does not name")
    parser.add_argument("--dynamic-shared", type=int, default=0, metavar="BYTES", help="dynamic shared memory of a block of those kernels")
    parser.add_argument("--ptxas", default=shutil.which("ptxas") or "/usr/local/cuda/bin/ptxas")
    parser.add_argument("--nvdisasm")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print tables (the default)")
    form.add_argument("--json", action="store_true", help="print one object for each row of the first table, with more columns")
    form.add_argument("--check", type=pathlib.Path, metavar="FILE",
                      help="compare with the limits in FILE, on the architectures that it names; exit status 1 if one is exceeded. Without "
                      f"nvdisasm the status is {SKIPPED}, or 1 if ATTN_REQUIRE_NVDISASM is set")  # fmt: skip
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    nvdisasm = given.nvdisasm or find_nvdisasm(given.ptxas)
    if nvdisasm is None:
        print("no nvdisasm: pip install nvidia-cuda-nvdisasm, or name one with --nvdisasm", file=sys.stderr)
        sys.exit(SKIPPED if given.check and not os.environ.get("ATTN_REQUIRE_NVDISASM") else 1)
    if given.check:
        limits = read_limits(given.check)
        modelled = any(limit.metric.startswith(("modelled", "special_to_use")) for limit in limits)
        compiler = Compiler(given.ptxas, nvdisasm, model=modelled)
        lines, good = check(limits, compiler.rows(given.library, sorted({limit.arch for limit in limits})))
        print(*lines, sep="\n")
        sys.exit(0 if good else 1)
    others = KernelKind(LOOPS, given.dynamic_shared) if given.all_kernels else None
    rows = Compiler(given.ptxas, nvdisasm, given.kernel, others=others).rows(given.library, given.arch)
    if given.json:
        json.dump(rows, sys.stdout, indent=2)
    else:
        print_markdown(rows)


if __name__ == "__main__":
    main()

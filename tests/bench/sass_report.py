# SPDX-License-Identifier: Apache-2.0
"""What the compiled kernels do for each element: counts of the machine code of their hot loops, and the bound that follows.

    pip install nvidia-cuda-nvdisasm
    python tests/bench/sass_report.py build/dev/host/libattn_cuda.so --arch 80 90 --kernel additive

Compiles the PTX in the library for each architecture, as a driver would, and disassembles it. The hot loop of a kernel is the
innermost loop with the most special functions. An element is one tanh of a score or of its gradient. The bound is the largest
rate at which a multiprocessor can issue these instructions; it knows nothing of latencies and memory.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from library_ptx import assemble, texts_for

# The special functions that a kernel executes for each element.
SPECIAL_PER_ELEMENT = {
    "additive_multi_forward_kernel": 2,
    "weights_and_gradients_kernel": 2,
    "input_gradients_kernel": 2,
    "additive_single_forward_kernel": 2,
    "additive_single_scores_kernel": 2,
    "additive_single_gradients_kernel": 2,
}

# Lanes per clock and multiprocessor (CUDA C++ Programming Guide, table of arithmetic instructions).
ISSUE_LANES = 128
FMA_LANES = {75: 64, 80: 64, 86: 128, 89: 128, 90: 128, 100: 128, 120: 128}
OTHER_LANES = {"alu": 64, "special": 16, "load_store": 32}

PIPES = {
    "fma": {"FFMA", "FMUL", "FADD", "IMAD", "FFMA2", "FADD2", "FMUL2"},
    "special": {"MUFU", "I2F", "F2I", "F2F", "FRND", "I2FP", "POPC", "FLO"},
    "load_store": {"LDS", "STS", "LDG", "STG", "LDL", "STL", "LDSM", "LDGSTS", "ATOMS", "ATOMG", "RED", "SHFL", "LDC", "LD", "ST"},
    "tensor": {"HMMA", "IMMA", "DMMA", "HGMMA"},
    "control": {"BRA", "BAR", "EXIT", "NOP", "BSSY", "BSYNC", "WARPSYNC", "DEPBAR", "LDGDEPBAR", "CALL", "RET", "YIELD", "ERRBAR"},
}

SECTION = re.compile(r"^\s*\.section\s+\.text\.([\w$.]+)")
LABEL = re.compile(r"^(\.L_x_\d+):")
INSTRUCTION = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?(?P<text>[A-Z][A-Z0-9]*\b[^;]*);")
BRANCH = re.compile(r"^BRA\b.*?(\.L_x_\d+)")


@dataclasses.dataclass
class Loop:
    """The body of a loop, as instructions without guards."""

    body: list[str]

    def count(self, pipe: str) -> int:
        return sum(pipe_of(text) == pipe for text in self.body)


def pipe_of(text: str) -> str:
    """The pipe that executes an instruction: uniform instructions have their own, and all that is in no list is integer work."""
    opcode = re.match(r"[A-Z0-9]+", text)[0]
    for pipe, opcodes in PIPES.items():
        if opcode in opcodes:
            return pipe
    return "uniform" if opcode.startswith(("U", "R2U")) else "alu"


def innermost_loops(lines: list[str]) -> list[Loop]:
    """The loops of one kernel that contain no other loop."""
    instructions: list[str] = []
    labels: dict[str, int] = {}
    spans = []
    for line in lines:
        if label := LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := INSTRUCTION.search(line):
            instructions.append(found["text"].strip())
            branch = BRANCH.match(instructions[-1])
            if branch and branch[1] in labels:
                spans.append((labels[branch[1]], len(instructions)))
    inner = [span for span in spans if not any(span != other and span[0] <= other[0] and other[1] <= span[1] for other in spans)]
    return [Loop(instructions[begin:end]) for begin, end in inner if end - begin > 1]


def kernels_of(sass: str) -> dict[str, list[Loop]]:
    """The innermost loops of each kernel in the output of nvdisasm, by its mangled name."""
    kernels: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in sass.splitlines():
        if section := SECTION.match(line):
            lines = kernels.setdefault(section[1], [])
        else:
            lines.append(line)
    return {name: innermost_loops(body) for name, body in kernels.items()}


def measure(loop: Loop, special_per_element: float, arch: int) -> dict:
    """Issue slots and instructions of each pipe for each element, and the elements per clock that they allow."""
    elements = sum(text.startswith("MUFU") for text in loop.body) / special_per_element
    row: dict = {"elements": elements, "issue": len(loop.body) / elements}
    lanes = {"fma": FMA_LANES[arch], **OTHER_LANES}
    for pipe in ("fma", "alu", "special", "load_store", "tensor", "uniform", "control"):
        row[pipe] = loop.count(pipe) / elements
    bounds = {"issue": ISSUE_LANES / row["issue"]} | {pipe: lanes[pipe] / row[pipe] for pipe in lanes if row[pipe] > 0}
    row["limit"] = min(bounds, key=bounds.__getitem__)
    row["elements_per_clock"] = bounds[row["limit"]]
    return row


def short_name(mangled: str) -> tuple[str, str]:
    """(kernel, template arguments) of a mangled name."""
    done = subprocess.run(["c++filt", mangled], capture_output=True, text=True, check=True)
    found = re.search(r"::(\w+)<([^()]*?)>\(", done.stdout)
    return (found[1], found[2].replace("__nv_bfloat16", "bf16").replace("__half", "fp16")) if found else (done.stdout.strip(), "")


def disassemble(text: bytes, arch: int, ptxas: str, nvdisasm: str) -> tuple[str, dict]:
    """The machine code, and the resources of each kernel."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as cubin:
        resources = assemble(ptxas, text, arch, cubin.name)
        done = subprocess.run([nvdisasm, "--print-code", cubin.name], capture_output=True, text=True, check=True)
        return done.stdout, resources


def report(library: pathlib.Path, arch: int, pattern: str, ptxas: str, nvdisasm: str) -> list[dict]:
    rows = []
    for text in texts_for(library, arch):
        sass, resources = disassemble(text, arch, ptxas, nvdisasm)
        for mangled, loops in kernels_of(sass).items():
            kernel, arguments = short_name(mangled)
            hot = max(loops, key=lambda loop: loop.count("special"), default=None)
            if kernel not in SPECIAL_PER_ELEMENT or not re.search(pattern, kernel) or hot is None or hot.count("special") == 0:
                continue
            counts = measure(hot, SPECIAL_PER_ELEMENT[kernel], arch)
            rows.append({"arch": arch, "kernel": kernel, "arguments": arguments, **resources[mangled], **counts})
    return sorted(rows, key=lambda row: (row["kernel"], row["arguments"]))


def print_markdown(rows: list[dict]) -> None:
    print("| sm | kernel | issue slots | FMA | ALU | special | load, store | tensor | registers | elements per clock and SM | limit |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        counts = " | ".join(f"{row[key]:.2f}" for key in ("issue", "fma", "alu", "special", "load_store", "tensor"))
        name = f"{row['kernel']}<{row['arguments']}>"
        print(f"| {row['arch']} | `{name}` | {counts} | {row['registers']} | {row['elements_per_clock']:.1f} | {row['limit']} |")


def find_nvdisasm() -> str:
    for folder in map(pathlib.Path, sys.path):
        if (folder / "nvidia/cu13/bin/nvdisasm").exists():
            return str(folder / "nvidia/cu13/bin/nvdisasm")
    return shutil.which("nvdisasm") or sys.exit("no nvdisasm: pip install nvidia-cuda-nvdisasm, or name one with --nvdisasm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("--arch", type=int, nargs="+", choices=sorted(FMA_LANES), default=[90])
    parser.add_argument("--kernel", default="", help="regular expression that the name of a kernel must match")
    parser.add_argument("--ptxas", default=shutil.which("ptxas") or "/usr/local/cuda/bin/ptxas")
    parser.add_argument("--nvdisasm")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    given = parser.parse_args()
    nvdisasm = given.nvdisasm or find_nvdisasm()
    rows = [row for arch in given.arch for row in report(given.library, arch, given.kernel, given.ptxas, nvdisasm)]
    if given.json:
        json.dump(rows, sys.stdout, indent=2)
    else:
        print_markdown(rows)


if __name__ == "__main__":
    main()

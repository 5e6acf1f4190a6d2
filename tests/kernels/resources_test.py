# SPDX-License-Identifier: Apache-2.0
"""The kernels in the shipped library spill no registers and use no local memory, on any GPU. They use no floating-point
atomics, whose order, and therefore whose sums, would change from run to run.

Run by ctest: resources_test.py LIBRARY PTXAS. Compiles the PTX in the library for each architecture, as a driver would,
and reads the resources that ptxas reports for each kernel.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TARGETS = (75, 80, 86, 89, 90, 100, 120)
MOST_REGISTERS = 255  # of a thread

# The report of ptxas -v for a kernel.
KERNEL = re.compile(
    r"Compiling entry function '(?P<name>\S+)' for 'sm_\d+'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads.*?"
    r"Used (?P<registers>\d+) registers",
    re.DOTALL,
)

FLOAT_ATOMIC = re.compile(rb"\b(?:atom|red)\.[.\w:]*\.(?:f16|bf16|f32|f64)[.\w]*")


def texts_of(library):
    """The PTX texts in the library, by architecture."""
    texts = {}
    for match in re.finditer(rb"\.version [^\0]*?\.target sm_(\d+)[^\0]*", library.read_bytes()):
        texts.setdefault(int(match[1]), []).append(match[0])
    return texts


def measure(ptxas, text, target):
    """[(kernel, stack, spill stores, spill loads, registers)]"""
    with tempfile.NamedTemporaryFile(suffix=".ptx") as source:
        source.write(text)
        source.flush()
        command = [ptxas, "--verbose", f"--gpu-name=sm_{target}", source.name, "--output-file", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"ptxas: {done.stderr}")
    return [(match["name"], *(int(match[key]) for key in ("stack", "stores", "loads", "registers")))
            for match in KERNEL.finditer(done.stderr)]


def main():
    library, ptxas = pathlib.Path(sys.argv[1]), sys.argv[2]
    texts = texts_of(library)
    jobs = [(target, text) for target in TARGETS for text in texts[max(at for at in texts if at <= target)]]
    most, count = 0, 0
    faults = [f"sm_{at}: {found.decode()}" for at in texts for text in texts[at] for found in FLOAT_ATOMIC.findall(text)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (target, _), kernels in zip(jobs, pool.map(lambda job: measure(ptxas, job[1], job[0]), jobs)):
            for name, stack, stores, loads, registers in kernels:
                count += 1
                most = max(most, registers)
                if stack or stores or loads:
                    faults.append(f"sm_{target} {name}: stack frame {stack}, spill stores {stores}, spill loads {loads} bytes")
    if count == 0:
        faults.append(f"no kernel found in {library}")
    print(*faults, sep="\n")
    print(f"{count} kernels on {len(TARGETS)} architectures, at most {most} of {MOST_REGISTERS} registers")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

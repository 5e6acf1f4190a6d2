# SPDX-License-Identifier: Apache-2.0
"""The PTX in a library that nvcc compiled without compression, and what ptxas makes of it."""

import os
import re
import subprocess
import sys
import tempfile

# The report of ptxas --verbose for a kernel.
KERNEL = re.compile(
    r"Compiling entry function '(?P<name>\S+)' for 'sm_\d+'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads.*?"
    r"Used (?P<registers>\d+) registers(?:[^\n]*? (?P<shared>\d+) bytes smem)?",
    re.DOTALL,
)


def texts_of(library):
    """The PTX texts in the library, by architecture."""
    texts = {}
    for match in re.finditer(rb"\.version [^\0]*?\.target sm_(\d+)[^\0]*", library.read_bytes()):
        texts.setdefault(int(match[1]), []).append(match[0])
    return texts


def texts_for(library, target):
    """Those that a driver compiles for this architecture."""
    texts = texts_of(library)
    return texts[max(at for at in texts if at <= target)]


def assemble(ptxas, text, target, output=os.devnull):
    """Compiles the text to the file `output`. Returns, by kernel, its stack, spill stores, spill loads and static shared memory in
    bytes, and its registers."""
    with tempfile.NamedTemporaryFile(suffix=".ptx") as source:
        source.write(text)
        source.flush()
        command = [ptxas, "--verbose", f"--gpu-name=sm_{target}", source.name, "--output-file", output]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"ptxas: {done.stderr}")
    return {match["name"]: {key: int(match[key] or 0) for key in ("stack", "stores", "loads", "shared", "registers")}
            for match in KERNEL.finditer(done.stderr)}  # fmt: skip


def block_sizes(text):
    """The most threads of a block, by kernel, of those kernels whose launch bounds state them."""
    bounds = re.finditer(rb"\.entry\s+([\w$]+)\s*\([^)]*\)\s*\.maxntid\s+(\d+)(?:,\s*(\d+))?(?:,\s*(\d+))?", text)
    return {found[1].decode(): int(found[2]) * int(found[3] or 1) * int(found[4] or 1) for found in bounds}

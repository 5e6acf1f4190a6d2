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
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from library_ptx import assemble, texts_for, texts_of

TARGETS = (75, 80, 86, 89, 90, 100, 120)
MOST_REGISTERS = 255  # of a thread

FLOAT_ATOMIC = re.compile(rb"\b(?:atom|red)\.[.\w:]*\.(?:f16|bf16|f32|f64)[.\w]*")


def main():
    library, ptxas = pathlib.Path(sys.argv[1]), sys.argv[2]
    texts = texts_of(library)
    jobs = [(target, text) for target in TARGETS for text in texts_for(library, target)]
    most, count = 0, 0
    faults = [f"sm_{at}: {found.decode()}" for at in texts for text in texts[at] for found in FLOAT_ATOMIC.findall(text)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (target, _), kernels in zip(jobs, pool.map(lambda job: assemble(ptxas, job[1], job[0]), jobs)):
            for name, used in kernels.items():
                count += 1
                most = max(most, used["registers"])
                if used["stack"] or used["stores"] or used["loads"]:
                    faults.append(
                        f"sm_{target} {name}: stack frame {used['stack']}, spill stores {used['stores']}, spill loads {used['loads']} bytes"
                    )
    if count == 0:
        faults.append(f"no kernel found in {library}")
    print(*faults, sep="\n")
    print(f"{count} kernels on {len(TARGETS)} architectures, at most {most} of {MOST_REGISTERS} registers")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

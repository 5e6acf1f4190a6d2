# SPDX-License-Identifier: Apache-2.0
"""Checks that attn_bench reports times on the CPU and on a GPU, and on the virtual GPU counters instead of times.

Run by ctest: attn_bench_test.py ATTN_BENCH BACKENDS, where BACKENDS is cpu or cpu,cuda.
"""

import json
import subprocess
import sys

FILTER = "(additive_forward|pooling_backward)/.*/fp32/B:32/(Q:1/)?T:200/"


def main():
    program, backends = sys.argv[1], sys.argv[2].split(",")
    command = [program, f"--benchmark_filter={FILTER}", "--benchmark_min_time=0.001", "--benchmark_format=json"]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    device = report["context"].get("cuda_device", "")
    assert ("cuda" in backends) == bool(device), report["context"]
    seen = set()
    for run in report["benchmarks"]:
        name, backend = run["name"].split("/")[:2]
        seen.add((name, backend))
        assert "error_occurred" not in run, run
        if backend == "cuda" and device.startswith("Virtual GPU"):
            assert run["label"] == "counts of a virtual GPU, no times", run
            assert run["real_time"] == 0 and "bytes_per_second" not in run and "roofline" not in run, run
            assert 1 / 1.2 < run["bytes_of_stated"] < 1.2 and run["bytes_of_tensors"] > 0.9, run
            assert run["warp_fma"] > 0 and run["warp_special"] > 0, run
        else:
            assert run["real_time"] > 0 and run["bytes_per_second"] > 0 and run["tanh_per_second"] > 0, run
            assert backend == "cpu" or 0 < run["roofline"] < 1, run
    assert seen == {(name, backend) for name in ("additive_forward", "pooling_backward") for backend in backends}, seen
    print(f"{len(report['benchmarks'])} benchmarks on {', '.join(backends)} {device}")


if __name__ == "__main__":
    main()

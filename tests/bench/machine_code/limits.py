# SPDX-License-Identifier: Apache-2.0
"""Compares the rows of a report with the largest values that a file allows.

The file is a JSON list of objects such as

    {"kernel": "input_gradients_kernel", "arguments": "float, *", "arch": [90, 120], "loop": "tanh", "most": {"issue": 22.5}}

`kernel` and `arguments` are patterns with * and ?. Without `arguments` or `loop`, all are meant. `most` names columns of the
report. A limit that applies to no row fails, so that a kernel cannot escape by a new name.
"""

import dataclasses
import fnmatch
import json
import pathlib

KEYS = {"kernel", "arguments", "arch", "loop", "most"}


@dataclasses.dataclass(frozen=True)
class Limit:
    kernel: str
    arguments: str
    arch: int
    loop: str
    metric: str
    most: float

    def applies(self, row: dict) -> bool:
        named = fnmatch.fnmatchcase(row["kernel"], self.kernel) and fnmatch.fnmatchcase(row["arguments"], self.arguments)
        return named and row["arch"] == self.arch and fnmatch.fnmatchcase(row["loop"], self.loop)

    def __str__(self) -> str:
        loop = "" if self.loop == "*" else f", loop {self.loop}"
        return f"sm_{self.arch} {self.kernel}<{self.arguments}>{loop}: {self.metric}"


def parse_limits(text: str) -> list[Limit]:
    limits = []
    for entry in json.loads(text):
        if not KEYS >= set(entry) >= {"kernel", "arch", "most"}:
            raise ValueError(f"limits: expected kernel, arch, most and perhaps arguments and loop, got {', '.join(entry)}")
        for arch in entry["arch"]:
            for metric, most in entry["most"].items():
                limits.append(Limit(entry["kernel"], entry.get("arguments", "*"), arch, entry.get("loop", "*"), metric, most))
    return limits


def read_limits(path: pathlib.Path) -> list[Limit]:
    return parse_limits(path.read_text())


def check(limits: list[Limit], rows: list[dict]) -> tuple[list[str], bool]:
    """A line for each limit, and whether all hold."""
    lines, good = [], True
    for limit in limits:
        values = [(row[limit.metric], row["arguments"]) for row in rows if limit.applies(row) and row.get(limit.metric) is not None]
        if not values:
            lines.append(f"FAIL {limit}: expected at most {limit.most:g}, got no such kernel, loop or column")
            good = False
            continue
        value, arguments = max(values)
        holds = value <= limit.most
        good &= holds
        where = f" ({arguments})" if arguments else ""
        lines.append(f"{'pass' if holds else 'FAIL'} {limit}: expected at most {limit.most:g}, got {value:.4g}{where}")
    return lines, good

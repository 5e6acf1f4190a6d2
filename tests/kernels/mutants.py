# SPDX-License-Identifier: Apache-2.0
"""The ways to break the kernels: every mutant is one change of one line of kernels/."""

import collections
import dataclasses
import hashlib
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "kernels"

# A name that is not called. "\b" would match a part of a qualified name.
NAME = r"(?<![\w.])\w+(?:\.\w+)*(?![\w(])"
# Pattern and replacement for each way to break a line.
OPERATORS = {
    "barrier dropped": [(r"__sync(?:threads|warp)\(\);", "")],
    "bound off by one": [(r" < (?!<)", " <= "), (r" <= ", " < "), (r" >= ", " > "), (r" > (?!>)", " >= ")],
    "mask skipped": [
        (r"(?<=[(=] )[^?(=]*(?:\([^()]*\)[^?(=]*)*(?<!nullptr) \? (?=[^:]* : (?:0\.0f|float4))", "true ? "),
        (r"if \([^;]*\) continue;", ""),
        (r"if \([^;]*\) return;", ""),
        (r" && (?:[^&|?;()]|\([^()]*\))+(?=[)?;])", " "),
    ],
    "rescale skipped": [
        (r"rescale\([^()]*\)", "1.0f"),
        (r"shift_of\(([^()]*)\)", "0.0f"),
        (r"divisor\(([^()]*)\)", r"\1"),
        (r" / (?:sum|denominator|totals\.sum)\b", ""),
        (r" \* (?:factor|shared\.factor\[n\])", ""),
    ],
    "indices swapped": [
        (rf"({NAME}) \* ({NAME}) \+ ({NAME})", r"\3 * \2 + \1"),
        (r"\[([^\[\]]+)\]\[([^\[\]]+)\]", r"[\2][\1]"),
    ],
    "sign flipped": [(r"fmaf\(-", "fmaf("), (r"(?<=\w\]) - (?=mean)", " + "), (r"1 - ", "1 + ")],
}
# Lines that configure a kernel instead of processing data. Unrolled loops run over registers, which have no element
# after the last.
NOT_BROKEN = re.compile(
    r"^\s*(//|#|template|constexpr|static_assert|inline constexpr|using|enum|(__shared__ )?float4? \w+(\[[^\]]+\])+(\{\})?;)"
)
UNROLLED = re.compile(r"^\s*#pragma unroll$")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # relative to kernels/
    line: int
    operator: str
    before: str  # the line, stripped
    after: str
    nth: int  # counts identical changes of identical lines in the file

    def __str__(self):
        return f"{self.file}:{self.line}: {self.operator}\n    {self.before}\n    {self.after}"

    @property
    def key(self):
        """The entry in mutation_survivors.txt, without line numbers, which may change."""
        return f"{self.file} | {self.before} | {self.after} | {self.nth}"

    def digest(self, seed):
        return hashlib.sha256(f"{seed} {self.key}".encode()).digest()


def mutants_of(path):
    file = str(path.relative_to(KERNELS))
    seen = collections.Counter()
    line = ""
    for number, next_line in enumerate(path.read_text().splitlines(), 1):
        before, line = line, next_line
        if NOT_BROKEN.match(line) or UNROLLED.match(before):
            continue
        code = line.split("  // ")[0]
        for operator, changes in OPERATORS.items():
            for pattern, replacement in changes:
                for match in re.finditer(pattern, code):
                    after = code[: match.start()] + match.expand(replacement) + code[match.end():]
                    if after != code:
                        text = (code.strip(), after.strip())
                        seen[text] += 1
                        yield Mutant(file, number, operator, *text, seen[text])


def all_mutants():
    files = sorted([*KERNELS.glob("*.cu"), *KERNELS.glob("device/*.cuh")])
    return [mutant for path in files for mutant in mutants_of(path)]


def users_of(file):
    """The .cu files through which a file in kernels/ is compiled."""
    found, new = set(), {file}
    while new:
        found |= new
        paths = [*KERNELS.glob("*.cu"), *KERNELS.glob("device/*.cuh")]
        names = {str(path.relative_to(KERNELS)): path.read_text() for path in paths}
        new = {name for name, text in names.items() if any(f'"kernels/{used}"' in text for used in new)} - found
    return sorted(name for name in found if name.endswith(".cu"))

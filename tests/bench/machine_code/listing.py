# SPDX-License-Identifier: Apache-2.0
"""The kernels in the output of nvdisasm: their instructions and loops."""

import dataclasses
import functools
import re

SECTION = re.compile(r"^\s*\.section\s+\.text\.([\w$.]+)")
LABEL = re.compile(r"^(\.L_x_\d+):")
LINE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?P<text>(?:@!?U?P\w+\s+)?[A-Z][A-Z0-9]*\b[^;]*);")
TEXT = re.compile(r"(?:@!?(?P<guard>U?P\w+)\s+)?(?P<name>[\w.]+)\s*(?P<operands>.*)")
TARGET = re.compile(r"\.L_x_\d+")


@dataclasses.dataclass(frozen=True)
class Instruction:
    guard: str  # the predicate that lets it execute, or nothing
    opcode: str  # "FFMA"
    modifiers: tuple[str, ...]  # ("FTZ", "SAT")
    operands: tuple[str, ...]

    def matches(self, pattern: str) -> bool:
        """Whether it has the opcode and all modifiers of a pattern such as FFMA.SAT."""
        opcode, *modifiers = pattern.split(".")
        return opcode == self.opcode and set(modifiers) <= set(self.modifiers)


@functools.cache
def parse(text: str) -> Instruction:
    found = TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"instruction: expected a line of nvdisasm, got {text}")
    opcode, *modifiers = found["name"].split(".")
    operands = tuple(part.strip() for part in found["operands"].split(",")) if found["operands"] else ()
    return Instruction(found["guard"] or "", opcode, tuple(modifiers), operands)


@dataclasses.dataclass(frozen=True)
class Loop:
    """The instructions from the label of a loop to the branch back to it, with those of loops inside it."""

    begin: int  # position of the first instruction in the kernel
    body: tuple[Instruction, ...]

    def count(self, pattern: str) -> int:
        return sum(instruction.matches(pattern) for instruction in self.body)

    def contains(self, other: "Loop") -> bool:
        end, other_end = self.begin + len(self.body), other.begin + len(other.body)
        return self != other and self.begin <= other.begin and other_end <= end


@dataclasses.dataclass(frozen=True)
class Kernel:
    instructions: tuple[Instruction, ...]
    loops: tuple[Loop, ...]

    def innermost_loops(self) -> list[Loop]:
        return [loop for loop in self.loops if not any(loop.contains(other) for other in self.loops)]


def kernel_of(lines: list[str]) -> Kernel:
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    spans = []
    for line in lines:
        if label := LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := LINE.search(line):
            instructions.append(parse(found["text"]))
            target = TARGET.search(found["text"]) if instructions[-1].opcode == "BRA" else None
            # Kernels end in a branch to itself, which is never executed.
            if target and labels.get(target[0], len(instructions)) < len(instructions) - 1:
                spans.append((labels[target[0]], len(instructions)))
    return Kernel(tuple(instructions), tuple(Loop(begin, tuple(instructions[begin:end])) for begin, end in spans))


def kernels_of(sass: str) -> dict[str, Kernel]:
    """By mangled name."""
    kernels: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in sass.splitlines():
        if section := SECTION.match(line):
            lines = kernels.setdefault(section[1], [])
        else:
            lines.append(line)
    return {name: kernel_of(body) for name, body in kernels.items()}

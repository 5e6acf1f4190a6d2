# SPDX-License-Identifier: Apache-2.0
"""The loops of the kernels that the report describes: how each is recognised, and how many elements an iteration has.

An element is what one lane computes: a tanh of a score or of its gradient, or one product of a context.
"""

import dataclasses

from .listing import Kernel, Loop


@dataclasses.dataclass(frozen=True)
class LoopKind:
    """The loop that contains all of `contains` and nothing of `without`; if there are several, the one with the most elements.
    Names of instructions are patterns, such as FFMA.SAT, which FFMA.FTZ.SAT matches too."""

    name: str
    contains: tuple[str, ...]
    counted: str  # an iteration has this many of them ...
    per_element: float  # ... divided by this many elements
    without: tuple[str, ...] = ()
    rate: tuple[str, float, float] | None = None  # a pattern, its least and its largest number for each element
    may_nest: bool = False  # may have loops inside it that do not match; their instructions count once

    def elements(self, loop: Loop) -> float:
        return loop.count(self.counted) / self.per_element

    def matches(self, loop: Loop) -> bool:
        if not all(map(loop.count, (*self.contains, self.counted))) or any(map(loop.count, self.without)):
            return False
        if self.rate is None:
            return True
        pattern, least, most = self.rate
        return least <= loop.count(pattern) / self.elements(loop) <= most

    def find(self, kernel: Kernel) -> Loop | None:
        loops = [loop for loop in (kernel.loops if self.may_nest else kernel.innermost_loops()) if self.matches(loop)]
        innermost = [loop for loop in loops if not any(loop.contains(other) for other in loops)]
        # Of loops for different alignments of rows, the shortest is the one for aligned rows.
        return max(innermost, key=lambda loop: (self.elements(loop), -len(loop.body)), default=None)


@dataclasses.dataclass(frozen=True)
class KernelKind:
    loops: tuple[LoopKind, ...]
    dynamic_shared: int = 0  # bytes per block, at most


# One exponential for each element.
TANH = LoopKind("tanh", ("MUFU.EX2", "MUFU.RCP"), "MUFU.EX2", 1)

# One reciprocal for several elements, each of which has a denominator that FFMA.SAT clamps.
QUADS = LoopKind("quads", ("FFMA.SAT", "MUFU.RCP"), "FFMA.SAT", 1, without=("MUFU.EX2",), rate=("MUFU.RCP", 0, 0.3))
PAIRS = LoopKind("pairs", ("FFMA.SAT", "MUFU.RCP"), "FFMA.SAT", 1, without=("MUFU.EX2",), rate=("MUFU.RCP", 0.4, 1))

# One reciprocal for two elements, whose denominators need no clamp.
ADDITION = LoopKind("addition", ("MUFU.RCP",), "MUFU.RCP", 0.5, without=("MUFU.EX2", "FFMA.SAT"))

# Products of 16 x 8 x 8 elements in TF32, 32 for each lane, each made of three for the precision of fp32. (If x has 16 bits,
# there are two, so an element is then one and a half products of a weight and x.)
# The loops inside it, which copy the next slice of x, have few iterations.
CONTEXT = LoopKind("context", ("HMMA.1688.TF32",), "HMMA", 3 / 32, may_nest=True)

LOOPS = (TANH, QUADS, PAIRS, ADDITION, CONTEXT)
SCORES_OF_SPLIT = 4 * 1024  # kMostSplitKeys in kernels/tune.h

KERNELS = {
    "additive_multi_forward_kernel": KernelKind((QUADS, PAIRS, ADDITION, TANH, CONTEXT)),
    "additive_multi_weights_kernel": KernelKind((QUADS, PAIRS, ADDITION, TANH)),
    "input_gradients_kernel": KernelKind((TANH,)),
    "additive_single_forward_kernel": KernelKind((TANH,), SCORES_OF_SPLIT),
    "additive_single_scores_kernel": KernelKind((TANH,), 2 * SCORES_OF_SPLIT),
    "additive_single_gradients_kernel": KernelKind((TANH,), SCORES_OF_SPLIT),
}

# SPDX-License-Identifier: Apache-2.0
"""What several tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PACKAGE = Path(__file__).resolve().parents[1]


@pytest.fixture
def draw():
    """Seeded float32 arrays: draw(B, T) is normal."""
    generator = np.random.default_rng(7)
    return lambda *shape: generator.normal(size=shape).astype(np.float32)


@pytest.fixture
def run_python():
    """Runs Python in a process of its own that finds the package; keywords are added to its environment."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        merged = os.environ | {"PYTHONPATH": str(PACKAGE)} | environment
        return subprocess.run([sys.executable, *arguments], env=merged, capture_output=True, text=True, timeout=600)

    return run


@pytest.fixture
def weights(draw):
    """Makes classifier weights in which no two sizes agree; `attention` is "pooling" or "additive"."""

    def make(attention: str) -> dict[str, np.ndarray]:
        V, E, H, T, A, Hq = 11, 5, 3, 7, 4, 2
        common = {
            "embedding": draw(V, E),
            "lstm.0.kernel": draw(2, E, 4 * H),
            "lstm.0.recurrent": draw(2, H, 4 * H),
            "lstm.0.bias": draw(2, 4 * H),
            "dense.w": draw(2 * H),
            "dense.b": draw(1),
        }
        if attention == "pooling":
            return common | {"attention.w": draw(2 * H), "attention.b": draw(T)}
        return common | {
            "attention.w_q": draw(A, Hq),
            "attention.w_k": draw(A, 2 * H),
            "attention.v": draw(A),
            "attention.h": draw(1, Hq),
        }

    return make

# SPDX-License-Identifier: Apache-2.0
"""The accuracy table covers every pass, and its errors are a few roundings."""

from __future__ import annotations

import accuracy


def test_errors_are_a_few_roundings() -> None:
    errors = dict(accuracy.compare(1, B=2, Q=2, T=5, A=4, D=3, H=3))
    passes = [f"{name} {which}" for name in ("additive", "pooling", "projected") for which in ("forward", "backward")]
    assert list(errors) == [*passes, "lstm forward"]
    for name, tensors in errors.items():
        for tensor, value in tensors.items():
            assert value < 32, f"{name}: {tensor}"

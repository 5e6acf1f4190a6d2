# SPDX-License-Identifier: Apache-2.0
"""The Python example of the README runs as it is printed there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_python_example_runs(run_python) -> None:
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    example = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    if example is None:
        pytest.skip("README.md has no Python example")
    result = run_python("-c", example[1])
    assert result.returncode == 0, result.stderr

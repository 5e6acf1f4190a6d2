# SPDX-License-Identifier: Apache-2.0
"""Gives the package the version of the library, read from the top-level CMakeLists.txt."""

import re
from pathlib import Path

from setuptools import setup

cmake = Path(__file__).resolve().parent.parent / "CMakeLists.txt"
setup(version=re.search(r"project\(attn_cuda VERSION ([\d.]+)", cmake.read_text(encoding="utf-8"))[1])

# SPDX-License-Identifier: Apache-2.0
"""Checks that includes go in one direction: classifier -> encoder -> api -> {cpu, cuda} -> kernels -> base.

Public headers may be included from anywhere.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAY_INCLUDE = {
    "base": set(),
    "kernels": {"base"},
    "cpu": {"base"},
    "cuda": {"base", "kernels"},
    "api": {"base", "cpu", "cuda"},
    "encoder/base": {"base", "kernels"},
    "encoder/cpu": {"base", "kernels", "encoder/base"},
    "encoder/cuda": {"base", "kernels", "cuda", "encoder/base"},
    "encoder/plan": {"base", "encoder/base"},
    "encoder/api": {"base", "encoder/base", "encoder/cpu", "encoder/cuda", "encoder/plan"},
    "classifier": {"base"},
    "reference": set(),
    "include": set(),
}


def layer_of(path):
    parts = path.removeprefix("host/").split("/")
    return "/".join(parts[:2]) if parts[0] == "encoder" else parts[0]


findings, layers = [], set()
sources = [path for top in ("host", "kernels") for path in sorted((ROOT / top).rglob("*"))]
for source in (path for path in sources if path.suffix in (".h", ".hpp", ".cpp", ".cu")):
    layer = layer_of(str(source.relative_to(ROOT)))
    layers.add(layer)
    for target in re.findall(r'^\s*#\s*include\s*"([^"]+)"', source.read_text(), re.MULTILINE):
        included = layer_of(target)
        if included not in MAY_INCLUDE[layer] | {layer, "attn_cuda"}:
            findings.append(f"{source.relative_to(ROOT)} includes {target}")

print(*findings, sep="\n")
sys.exit(1 if findings or layers != set(MAY_INCLUDE) else 0)

# SPDX-License-Identifier: Apache-2.0
"""The counterpart of safetensors_test.cpp: reads and writes files with the official Python package.

    safetensors_reader.py read FILE    prints dtypes, shapes, values and metadata as JSON
    safetensors_reader.py write FILE   writes the tensors that the test expects

Exits with status 77 if a package is missing.
"""
import json
import sys

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError as error:
    print(error)
    sys.exit(77)


def read(path):
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is not iterable)
        metadata = file.metadata()
    described = {
        name: {"dtype": str(tensor.dtype), "shape": tensor.shape, "values": tensor.flatten().tolist()}
        for name, tensor in tensors.items()
    }
    print(json.dumps({"tensors": described, "metadata": metadata}))


def write(path):
    tensors = {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "half": np.ones(3, dtype=np.float16),
        "flags": np.array([True, False, True]),
        "ids": np.array([-5, 2**40], dtype=np.int64),
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 7), dtype=np.int32),
    }
    save_file(tensors, path, metadata={"format": "np", "note": "Grüße"})


{"read": read, "write": write}[sys.argv[1]](sys.argv[2])

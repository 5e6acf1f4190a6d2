# SPDX-License-Identifier: Apache-2.0
"""Finding and loading the libraries, the mirrored structures, and errors."""

from __future__ import annotations

import ctypes
import re
import threading
from pathlib import Path

import numpy as np
import pytest

import attn_cuda
from attn_cuda import _lib

HEADERS = Path(__file__).resolve().parents[2] / "host" / "include" / "attn_cuda"
C_TYPES = {
    "size_t": ctypes.c_size_t,
    "int64_t": ctypes.c_int64,
    "int32_t": ctypes.c_int32,
    "attn_dtype_t": ctypes.c_int,
}
STRUCTURES = {
    "attn_additive_desc_t": _lib.AdditiveDesc,
    "attn_additive_forward_args_t": _lib.AdditiveForwardArgs,
    "attn_additive_backward_args_t": _lib.AdditiveBackwardArgs,
    "attn_pooling_desc_t": _lib.PoolingDesc,
    "attn_pooling_forward_args_t": _lib.PoolingForwardArgs,
    "attn_pooling_backward_args_t": _lib.PoolingBackwardArgs,
    "attn_projected_desc_t": _lib.ProjectedDesc,
    "attn_projected_forward_args_t": _lib.ProjectedForwardArgs,
    "attn_projected_backward_args_t": _lib.ProjectedBackwardArgs,
    "attn_lstm_desc_t": _lib.LstmDesc,
    "attn_lstm_forward_args_t": _lib.LstmForwardArgs,
}


def headers() -> str:
    text = "".join((HEADERS / name).read_text(encoding="utf-8") for name in ("attn_cuda.h", "encoder.h"))
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_those_of_the_headers(name: str) -> None:
    body = re.search(rf"typedef struct {name} {{(.*?)}}", headers(), re.DOTALL)[1]
    declared = []
    for statement in body.split(";"):
        if not statement.strip():
            continue
        kind, names = re.fullmatch(r"\s*(?:const )?(\w+\b\s*\*?)\s*(.*)", statement, re.DOTALL).groups()
        c_type = ctypes.c_void_p if kind.endswith("*") else C_TYPES[kind.strip()]
        declared += [(field.strip(), c_type) for field in names.split(",")]
    mirrored = [field for base in reversed(STRUCTURES[name].__mro__) for field in vars(base).get("_fields_", [])]
    assert mirrored == declared


@pytest.mark.parametrize(("enum", "prefix"), [(_lib.Status, "ATTN_"), (_lib.Pass, "ATTN_PASS_")])
def test_constants_are_those_of_the_headers(enum, prefix: str) -> None:
    for member in enum:
        assert re.search(rf"\b{prefix}{member.name} = {member.value}\b", headers()), member


def test_version_is_that_of_the_build() -> None:
    cmake = (HEADERS.parents[2] / "CMakeLists.txt").read_text(encoding="utf-8")
    assert attn_cuda.version() == re.search(r"project\(attn_cuda VERSION ([\d.]+)", cmake)[1]


def test_missing_library_names_what_was_looked_for(run_python, tmp_path: Path) -> None:
    result = run_python("-c", "import attn_cuda; attn_cuda.version()", ATTN_CUDA_LIBRARY_DIR=str(tmp_path))
    assert result.returncode != 0
    assert str(tmp_path / "libattn_cuda.so") in result.stderr
    assert "set ATTN_CUDA_LIBRARY_DIR to the folder that holds it" in result.stderr


def test_file_that_is_no_library_is_named(run_python, tmp_path: Path) -> None:
    (tmp_path / "libattn_cuda.so").write_text("no library")
    result = run_python("-c", "import attn_cuda; attn_cuda.version()", ATTN_CUDA_LIBRARY_DIR=str(tmp_path))
    assert "invalid ELF header" in result.stderr or "file too short" in result.stderr


def test_import_needs_neither_library_nor_torch(run_python, tmp_path: Path) -> None:
    code = "import sys, attn_cuda; assert 'torch' not in sys.modules; print('fine')"
    assert run_python("-c", code, ATTN_CUDA_LIBRARY_DIR=str(tmp_path)).stdout == "fine\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": None}, "q: expected float32 array [B, Q, A], got NoneType"),
        ({"q": np.zeros((2, 3, 4))}, "q: expected float32 array [B = 2, Q = 3, A = 4], got float64 array [2, 3, 4]"),
        ({"k": np.zeros((2, 5), "f")}, "k: expected float32 array [B = 2, T, A = 4], got float32 array [2, 5]"),
        ({"v": np.zeros(3, "f")}, "v: expected float32 array [A = 4], got float32 array [3]"),
        ({"x": np.zeros((2, 6, 5), "f").swapaxes(1, 2)}, "x: expected a C-contiguous array, got strides (120, 4, 20)"),
        ({"lengths": np.zeros(2, np.int64)}, "lengths: expected int32 array [B = 2], got int64 array [2]"),
        ({"lengths": np.array([5, 6], np.int32)}, "lengths[1]: expected 0 to T = 5, got 6"),
    ],
)
def test_bad_argument_is_named(change: dict, message: str) -> None:
    arguments = {
        "q": np.zeros((2, 3, 4), "f"),
        "k": np.zeros((2, 5, 4), "f"),
        "v": np.zeros(4, "f"),
        "x": np.zeros((2, 5, 6), "f"),
    }
    with pytest.raises(attn_cuda.AttnError) as caught:
        attn_cuda.additive_forward(**arguments | change)
    assert message in str(caught.value)
    assert caught.value.status is attn_cuda.Status.INVALID_ARGUMENT


def test_factor_axis_is_explained() -> None:
    with pytest.raises(attn_cuda.AttnError, match=re.escape("kernel: expected float32 array [2, E = 5, 4H = 12]")):
        attn_cuda.lstm_forward(
            np.zeros((1, 2, 5), "f"), np.zeros((2, 5, 8), "f"), np.zeros((2, 3, 12), "f"), np.zeros((2, 12), "f")
        )


def test_reserve_of_another_shape_is_refused(draw) -> None:
    x, h, w_q, w_k, v = draw(2, 5, 6), draw(3, 2), draw(4, 2), draw(4, 6), draw(4)
    with pytest.raises(attn_cuda.AttnError, match=r"reserve: expected the \d+ bytes of the forward pass, got 0 bytes"):
        attn_cuda.projected_backward(x, h, w_q, w_k, v, draw(2, 3, 6), np.empty(0, np.uint8))


def test_threads_are_bounded() -> None:
    with pytest.raises(attn_cuda.AttnError, match=r"threads: expected 1 to \d+, got 0"):
        attn_cuda.set_threads(0)


def test_each_python_thread_has_its_own_handle() -> None:
    handles = [_lib.handle().value, _lib.handle().value]
    worker = threading.Thread(target=lambda: handles.append(_lib.handle().value))
    worker.start()
    worker.join()
    assert handles[0] == handles[1] != handles[2]

# SPDX-License-Identifier: Apache-2.0
"""Finds and loads the two libraries, and mirrors the structures of attn_cuda.h and encoder.h."""

from __future__ import annotations

import ctypes
import enum
import functools
import os
import sys
import threading
import weakref
from ctypes import c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path

CORE = "libattn_cuda.so"
ENCODER = "libattn_cuda_encoder.so"
DIRECTORY_VARIABLE = "ATTN_CUDA_LIBRARY_DIR"

_BACKEND_CPU = 0


class Status(enum.IntEnum):
    """attn_status_t"""

    SUCCESS = 0
    INVALID_ARGUMENT = 1
    UNSUPPORTED = 2
    OUT_OF_MEMORY = 3
    CUDA_ERROR = 4
    LIBRARY_ERROR = 5
    INTERNAL_ERROR = 6


class Pass(enum.IntEnum):
    """attn_pass_t"""

    FORWARD = 0
    BACKWARD = 1


class AttnError(RuntimeError):
    """A call that failed. The text reads "<argument>: expected <rule>, got <value>"."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


# ---- structures, with the same fields as in the C headers ----------------------------------------------------


class _Sized(ctypes.Structure):
    """A structure that fills in struct_size, which tells the library the version of the structure."""

    _fields_ = [("struct_size", c_size_t)]

    def __init__(self, **fields: int | None) -> None:
        super().__init__(struct_size=ctypes.sizeof(type(self)), **fields)


def _sizes(letters: str) -> list:
    return [("dtype", c_int), *((letter, c_int64) for letter in letters)]


def _pointers(names: str) -> list:
    return [(name, c_void_p) for name in names.split()]


class AdditiveDesc(_Sized):
    _fields_ = _sizes("BQTAD")


class AdditiveForwardArgs(_Sized):
    _fields_ = _pointers("q k v x lengths cu_seqlens o weights lse")


class AdditiveBackwardArgs(_Sized):
    _fields_ = _pointers("q k v x lengths cu_seqlens lse weights d_o d_weights d_q d_k d_v d_x")


class PoolingDesc(_Sized):
    _fields_ = _sizes("BTD")


class PoolingForwardArgs(_Sized):
    _fields_ = _pointers("x w b lengths cu_seqlens o weights")


class PoolingBackwardArgs(_Sized):
    _fields_ = _pointers("x w b lengths cu_seqlens d_o d_weights d_x d_w d_b")


class ProjectedDesc(_Sized):
    _fields_ = [*_sizes("BQTADH"), ("shared_query", c_int32)]


class ProjectedForwardArgs(_Sized):
    _fields_ = _pointers("x h w_q w_k b v lengths o weights reserve")


class ProjectedBackwardArgs(_Sized):
    _fields_ = _pointers("x h w_q w_k b v lengths reserve weights d_o d_weights d_x d_h d_w_q d_w_k d_b d_v")


class LstmDesc(_Sized):
    _fields_ = [*_sizes("BTEH"), ("directions", c_int32), ("training", c_int32)]


class LstmForwardArgs(_Sized):
    _fields_ = _pointers("x kernel recurrent bias lengths y reserve")


# ---- loading ---------------------------------------------------------------------------------------------------


def _candidates(name: str) -> list[Path]:
    """The paths at which a library is searched, in this order."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return [Path(chosen) / name]
    prefixes = dict.fromkeys([sys.prefix, "/usr/local", "/usr"])
    folders = ["lib", "lib64", f"lib/{getattr(sys.implementation, '_multiarch', '')}"]
    return [Path(prefix, folder, name) for prefix in prefixes for folder in folders]


@functools.cache
def load(name: str) -> ctypes.CDLL:
    """Loads the library `name`, CORE or ENCODER, once.

    It is searched only in the folder that ATTN_CUDA_LIBRARY_DIR names; without this variable on the dynamic linker's
    path, then where libraries are usually installed. Raises OSError with the paths tried and the reasons.
    """
    if name == ENCODER:
        load(CORE)  # loaded first, so that the encoder uses this one whatever its own search path is
    candidates: list[str | Path] = [*_candidates(name)]
    if not os.environ.get(DIRECTORY_VARIABLE):
        candidates.insert(0, name)
    failures = []
    for candidate in candidates:
        try:
            library = ctypes.CDLL(str(candidate))
        except OSError as error:
            failures.append(f"  {error}")
            continue
        for function in ("attn_last_error", "attn_version", "attn_cpu_target", "attn_encoder_libraries"):
            if hasattr(library, function):
                getattr(library, function).restype = c_char_p
        return library
    raise OSError(
        f"{name} not found: install libattn_cuda, or set {DIRECTORY_VARIABLE} to the folder that holds it. Tried:\n"
        + "\n".join(failures)
    )


def check(status: int) -> None:
    """Raises AttnError if the status is that of a failed call."""
    if status != Status.SUCCESS:
        raise AttnError(Status(status), load(CORE).attn_last_error().decode())


# ---- handle ----------------------------------------------------------------------------------------------------


class _Handle:
    """A handle of the CPU backend, since numpy arrays and CPU tensors are in host memory."""

    def __init__(self) -> None:
        core = load(CORE)
        self.value = c_void_p()
        check(core.attn_create(ctypes.byref(self.value), _BACKEND_CPU))
        weakref.finalize(self, core.attn_destroy, self.value)


_this_thread = threading.local()


def handle() -> c_void_p:
    """This thread's handle, created by its first call, because a handle must be used by one thread at a time."""
    if not hasattr(_this_thread, "handle"):
        _this_thread.handle = _Handle()
    return _this_thread.handle.value

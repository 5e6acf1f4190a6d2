# SPDX-License-Identifier: Apache-2.0
"""Passes numpy arrays to the C interface: checks of dtype, shape and layout, addresses, and aligned memory."""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from attn_cuda._lib import AttnError, Status

Floats = NDArray[np.float32]
Lengths = NDArray[np.int32]

_ALIGNMENT = 64  # bytes; the library requires it of workspaces and reserve spaces


class Axes:
    """Checks arrays against their axes, such as "B T 2H". The first axis with a letter determines the letter's size."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def pointers(self, **arrays: tuple[Floats, str]) -> dict[str, int | None]:
        return {name: self._pointer(name, array, axes, np.float32) for name, (array, axes) in arrays.items()}

    def optional(self, **arrays: tuple[Floats | None, str]) -> dict[str, int | None]:
        given = {name: (array, axes) for name, (array, axes) in arrays.items() if array is not None}
        return self.pointers(**given)

    def lengths(self, lengths: Lengths | None) -> dict[str, int | None]:
        return {} if lengths is None else {"lengths": self._pointer("lengths", lengths, "B", np.int32)}

    def empty(self, axes: str) -> Floats:
        return np.empty([self._size(axis) for axis in axes.split()], np.float32)

    def _pointer(self, name: str, array: object, axes: str, dtype: type) -> int:
        if not isinstance(array, np.ndarray):
            raise invalid(name, self._expected(axes, dtype), type(array).__name__)
        for axis, size in zip(axes.split(), array.shape, strict=False):
            if axis.isalpha() and array.ndim == len(axes.split()):
                self.sizes.setdefault(axis, size)
        if array.dtype != dtype or list(array.shape) != [self._size(axis) for axis in axes.split()]:
            raise invalid(name, self._expected(axes, dtype), f"{array.dtype} array {list(array.shape)}")
        if not array.flags.c_contiguous:
            raise invalid(name, "a C-contiguous array", f"strides {array.strides}; numpy.ascontiguousarray makes one")
        return address(array)

    def _size(self, axis: str) -> int:
        """The size of an axis such as "B", "2" or "4H"; -1 while the letter has no size."""
        factor, letter = axis.rstrip(string.ascii_letters), axis.lstrip(string.digits)
        if letter and letter not in self.sizes:
            return -1
        return int(factor or 1) * self.sizes.get(letter, 1)

    def _expected(self, axes: str, dtype: type) -> str:
        return f"{np.dtype(dtype)} array [{', '.join(map(self._described, axes.split()))}]"

    def _described(self, axis: str) -> str:
        return axis if axis.isdigit() or self._size(axis) < 0 else f"{axis} = {self._size(axis)}"


def invalid(name: str, expected: str, got: str) -> AttnError:
    return AttnError(Status.INVALID_ARGUMENT, f"{name}: expected {expected}, got {got}")


def address(array: NDArray) -> int:
    return array.ctypes.data


def aligned(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -address(memory) % _ALIGNMENT
    return memory[start : start + size]

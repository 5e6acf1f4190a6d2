# SPDX-License-Identifier: Apache-2.0
"""Reviews as token ids, read from attn_train's cache or random, truncated and padded as the classifier takes them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray


class Reviews(NamedTuple):
    ids: NDArray[np.int32]  # [offsets[N]], the concatenated ids of all reviews
    offsets: NDArray[np.int64]  # [N + 1], the start of each review in ids
    labels: NDArray[np.int32]  # [N], 0 or 1

    def __len__(self) -> int:
        return len(self.labels)


def load(path: Path, part: str) -> Reviews:
    """Reads the part "train" or "test"."""
    tensors = safetensors.numpy.load_file(path)
    return Reviews(*(tensors[f"{part}.{name}"] for name in Reviews._fields))


def random(generator: np.random.Generator, count: int, vocabulary: int, length: int) -> Reviews:
    """Returns random reviews of up to twice `length` ids, with label 1 if most of their ids are in the upper half."""
    first = 3  # the ids 0 to 2 are padding, start and unknown
    sizes = generator.integers(max(length // 4, 2), 2 * length, count)
    words = [generator.integers(first, vocabulary, size - 1, dtype=np.int32) for size in sizes]
    labels = [np.mean(2 * ids >= vocabulary + first) > 0.5 for ids in words]
    with_start = [np.concatenate([[1], ids]) for ids in words]
    return Reviews(
        np.concatenate(with_start).astype(np.int32),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array(labels, np.int32),
    )


def batch(reviews: Reviews, which: NDArray, length: int, mask: bool) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns the last ids [B, length] of reviews `which`, padded in front (`mask`: at the end), and lengths [B]."""
    ids = np.zeros((len(which), length), np.int32)
    lengths = np.zeros(len(which), np.int32)
    for row, review in enumerate(which):
        kept = reviews.ids[reviews.offsets[review] : reviews.offsets[review + 1]][-length:]
        lengths[row] = len(kept)
        ids[row, slice(None, len(kept)) if mask else slice(length - len(kept), None)] = kept
    return ids, lengths

# SPDX-License-Identifier: Apache-2.0
"""Repeats the training that export_keras.py recorded with the formulas in float64, so that the fixtures in tests/data,
with which the C++ trainer is compared, agree with the formulas."""

from __future__ import annotations

from pathlib import Path

import formulas
import numpy as np
import pytest
import safetensors.numpy

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
WEIGHTS = (
    "embedding",
    "lstm.kernel",
    "lstm.recurrent",
    "lstm.bias",
    "attention.w",
    "attention.b",
    "dense.w",
    "dense.b",
)
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def loss(weights: dict, ids, labels, lengths):
    """Mean cross-entropy [P] of one batch for P sets of weights at once, each array with a leading axis P."""
    x = weights["embedding"][:, ids]
    directions = [
        formulas.lstm_keras(
            x,
            weights["lstm.kernel"][:, d],
            weights["lstm.recurrent"][:, d],
            weights["lstm.bias"][:, d],
            lengths,
            d == 1,
        )
        for d in (0, 1)
    ]
    y = np.concatenate(directions, -1)
    e = np.tanh(np.einsum("pbtd,pd->pbt", y, weights["attention.w"]) + weights["attention.b"][:, None])
    e = np.exp(e) * (1 if lengths is None else np.arange(e.shape[-1]) < lengths[:, None])
    o = np.einsum("pbt,pbtd->pbd", e / e.sum(-1, keepdims=True), y)
    z = np.einsum("pbd,pd->pb", o, weights["dense.w"]) + weights["dense.b"]
    side = np.where(z.real > 0, 1, -1)
    return np.mean(np.where(side > 0, z, 0) - z * labels + np.log1p(np.exp(-side * z)), axis=-1)


def split(vectors, shapes: dict) -> dict:
    """Splits vectors [P, number of weights] into named arrays."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(vectors, ends[:-1], axis=1)
    return {name: part.reshape(-1, *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


@pytest.mark.parametrize("name", ["keras_small", "keras_small_masked"])
def test_recorded_losses_are_those_of_the_formulas(name: str) -> None:
    recorded = safetensors.numpy.load_file(DATA / f"{name}.safetensors")
    shapes = {weight: recorded[weight].shape for weight in WEIGHTS}
    p = np.concatenate([recorded[weight].ravel() for weight in WEIGHTS]).astype(np.float64)
    m, s = np.zeros_like(p), np.zeros_like(p)
    steps = formulas.STEP * 1j * np.eye(len(p))

    losses = []
    for step, (ids, labels) in enumerate(zip(recorded["batches.ids"], recorded["batches.labels"], strict=True), 1):
        lengths = recorded["batches.lengths"][step - 1] if "batches.lengths" in recorded else None
        values = loss(split(p + steps, shapes), ids, labels, lengths)
        losses.append(values[0].real)
        g = values.imag / formulas.STEP
        m = BETA_1 * m + (1 - BETA_1) * g
        s = BETA_2 * s + (1 - BETA_2) * g**2
        p -= RATE * np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step) * m / (np.sqrt(s) + EPSILON)

    assert len(losses) == 50
    np.testing.assert_allclose(recorded["losses"], losses, rtol=0, atol=1e-5)

# SPDX-License-Identifier: Apache-2.0
"""The formulas of attn_cuda.h and encoder.h in plain numpy, written for clarity and for float64 or complex128.

They know nothing of the library. Their gradients come from complex steps, f'(x) = Im f(x + ih) / h, which are exact to
rounding, so no formula of a gradient is written down here. Every function takes arrays with any leading axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

STEP = 1e-30


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(e, lengths=None):
    """Softmax over the first lengths[b] elements of the last axis, b indexing the first; zero if there are none."""
    valid = np.ones(e.shape, bool)
    if lengths is not None:
        valid &= np.arange(e.shape[-1]) < np.reshape(lengths, (-1, *[1] * (e.ndim - 1)))
    top = np.max(e.real, axis=-1, keepdims=True, where=valid, initial=-np.inf)
    terms = np.where(valid, np.exp(np.where(valid, e - np.where(np.isfinite(top), top, 0), 0)), 0)
    total = terms.sum(-1, keepdims=True)
    return terms / np.where(total == 0, 1, total)


def additive(q, k, v, x, lengths=None):
    e = np.einsum("a,bqta->bqt", v, np.tanh(q[:, :, None] + k[:, None]))
    weights = softmax(e, lengths)
    return np.einsum("bqt,btd->bqd", weights, _valid(x, lengths)), weights


def pooling(x, w, b, lengths=None):
    weights = softmax(np.tanh(np.einsum("btd,d->bt", x, w) + b), lengths)
    return np.einsum("bt,btd->bd", weights, _valid(x, lengths)), weights


def projected(x, h, w_q, w_k, v, b, lengths=None):
    q = np.einsum("ah,bqh->bqa", w_q, np.broadcast_to(h, (len(x), *h.shape[-2:])))
    return additive(q, np.einsum("ad,btd->bta", w_k, x) + b, v, x, lengths)


def _valid(x, lengths):
    """x [B, T, D] with zeros at and beyond each length."""
    if lengths is None:
        return x
    return np.where((np.arange(x.shape[1]) < lengths[:, None])[..., None], x, 0)


def gradients(function: Callable, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of the number function(*arguments) for each argument, by one complex step per element."""
    result = []
    for which, argument in enumerate(arguments):
        gradient = np.zeros(argument.shape)
        for index in np.ndindex(argument.shape):
            moved = [array.astype(complex) for array in arguments]
            moved[which][index] += 1j * STEP
            gradient[index] = np.imag(function(*moved)) / STEP
        result.append(gradient)
    return result


# ---- one direction of an LSTM, as each framework documents its layout -------------------------------------------


def lstm_keras(x, kernel, recurrent, bias, lengths=None, backward=False):
    """x [B, T, E], kernel [E, 4H], recurrent [H, 4H], bias [4H]; gates i, f, g, o in this order; y [B, T, H]."""

    def gates(x_t, y):
        z = x_t @ kernel + y @ recurrent + bias[..., None, :]
        return np.split(z, 4, axis=-1)

    return _lstm(x, recurrent.shape[-2], gates, lengths, backward)


def lstm_torch(x, weight_ih, weight_hh, bias_ih, bias_hh, backward=False):
    """x [B, T, E], weight_ih [4H, E], weight_hh [4H, H], biases [4H]; gates i, f, g, o in this order."""
    H = weight_hh.shape[1]

    def gates(x_t, y):
        return [
            x_t @ weight_ih[g * H : (g + 1) * H].T
            + bias_ih[g * H : (g + 1) * H]
            + y @ weight_hh[g * H : (g + 1) * H].T
            + bias_hh[g * H : (g + 1) * H]
            for g in range(4)
        ]

    return _lstm(x, H, gates, None, backward)


def _lstm(x, H, gates, lengths, backward):
    T = x.shape[-2]
    y = c = np.zeros((*x.shape[:-2], H), x.dtype)
    outputs = [y] * T
    for t in reversed(range(T)) if backward else range(T):
        i, f, g, o = gates(x[..., t, :], y)
        valid = True if lengths is None else (t < lengths)[:, None]
        c = np.where(valid, sigmoid(f) * c + sigmoid(i) * np.tanh(g), c)
        y = np.where(valid, sigmoid(o) * np.tanh(c), y)
        outputs[t] = np.where(valid, y, 0)
    return np.stack(outputs, axis=-2)

# SPDX-License-Identifier: Apache-2.0
"""The operations against the formulas in float64, gradients against complex steps, and the rules about lengths."""

from __future__ import annotations

import formulas
import numpy as np
import pytest

import attn_cuda

B, Q, T, A, D, H = 3, 2, 5, 4, 6, 7
LENGTHS = np.array([3, 0, T], np.int32)  # item 1 has no valid key


def assert_close(got, expected) -> None:
    """Compares with a tolerance for fp32 sums of a few dozen terms of size 1."""
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6)


def poisoned(array: np.ndarray, lengths) -> np.ndarray:
    """A copy with NaN at and beyond each length."""
    array = array.copy()
    for item, length in enumerate(lengths if lengths is not None else []):
        array[item, length:] = np.nan
    return array


def scalar(formula, d_o, d_weights, lengths):
    """The number whose gradient is that of the output and weights together."""

    def function(*arguments):
        o, weights = formula(*arguments, lengths)
        return np.sum(o * d_o) + np.sum(weights * d_weights)

    return function


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_additive(draw, lengths) -> None:
    q, k, v, x = draw(B, Q, A), draw(B, T, A), draw(A), draw(B, T, D)
    d_o, d_weights = draw(B, Q, D), draw(B, Q, T)
    inputs = q, poisoned(k, lengths), v, poisoned(x, lengths)

    output = attn_cuda.additive_forward(*inputs, lengths)
    for got, expected in zip(output, formulas.additive(*map(np.float64, (q, k, v, x)), lengths), strict=False):
        assert_close(got, expected)

    expected = formulas.gradients(scalar(formulas.additive, d_o, d_weights, lengths), (q, k, v, x))
    for weights in (None, output.weights):
        gradient = attn_cuda.additive_backward(*inputs, d_o, output.lse, lengths, weights, d_weights)
        for got, wanted in zip(gradient, expected, strict=True):
            assert_close(got, wanted)


def test_weights_have_no_gradient_unless_given(draw) -> None:
    q, k, v, x, d_o = draw(B, Q, A), draw(B, T, A), draw(A), draw(B, T, D), draw(B, Q, D)
    lse = attn_cuda.additive_forward(q, k, v, x).lse
    gradient = attn_cuda.additive_backward(q, k, v, x, d_o, lse)
    expected = formulas.gradients(scalar(formulas.additive, d_o, 0, None), (q, k, v, x))
    for got, wanted in zip(gradient, expected, strict=True):
        assert_close(got, wanted)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_pooling(draw, lengths) -> None:
    x, w, b = draw(B, T, D), draw(D), draw(T)
    d_o, d_weights = draw(B, D), draw(B, T)

    output = attn_cuda.pooling_forward(poisoned(x, lengths), w, b, lengths)
    for got, expected in zip(output, formulas.pooling(*map(np.float64, (x, w, b)), lengths), strict=True):
        assert_close(got, expected)

    gradient = attn_cuda.pooling_backward(poisoned(x, lengths), w, b, d_o, lengths, d_weights)
    expected = formulas.gradients(scalar(formulas.pooling, d_o, d_weights, lengths), (x, w, b))
    for got, wanted in zip(gradient, expected, strict=True):
        assert_close(got, wanted)


def test_pooling_without_bias(draw) -> None:
    x, w, d_o = draw(B, T, D), draw(D), draw(B, D)
    with_zeros, without = (attn_cuda.pooling_forward(x, w, b) for b in (np.zeros(T, np.float32), None))
    assert_close(without.o, with_zeros.o)
    gradient = attn_cuda.pooling_backward(x, w, None, d_o)
    assert gradient.b is None
    assert_close(gradient.w, attn_cuda.pooling_backward(x, w, np.zeros(T, np.float32), d_o).w)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_projected(draw, lengths, shared: bool) -> None:
    h = draw(Q, H) if shared else draw(B, Q, H)
    x, w_q, w_k, v, b = draw(B, T, D), draw(A, H), draw(A, D), draw(A), draw(A)
    d_o, d_weights = draw(B, Q, D), draw(B, Q, T)
    inputs = poisoned(x, lengths), h, w_q, w_k, v

    output = attn_cuda.projected_forward(*inputs, lengths, b)
    exact = formulas.projected(*map(np.float64, (x, h, w_q, w_k, v, b)), lengths)
    for got, expected in zip(output, exact, strict=False):
        assert_close(got, expected)

    expected = formulas.gradients(scalar(formulas.projected, d_o, d_weights, lengths), (x, h, w_q, w_k, v, b))
    gradient = attn_cuda.projected_backward(*inputs, d_o, output.reserve, lengths, output.weights, d_weights, b)
    for got, wanted in zip(gradient, expected, strict=True):
        assert_close(got, wanted)


def test_nothing_in_nothing_out(draw) -> None:
    output = attn_cuda.additive_forward(draw(0, Q, A), draw(0, T, A), draw(A), draw(0, T, D))
    assert [array.shape for array in output] == [(0, Q, D), (0, Q, T), (0, Q)]


def test_arguments_are_left_as_they_were(draw) -> None:
    inputs = draw(B, Q, A), draw(B, T, A), draw(A), draw(B, T, D)
    copies = [array.copy() for array in inputs]
    attn_cuda.additive_forward(*inputs)
    for array, copy in zip(inputs, copies, strict=True):
        np.testing.assert_array_equal(array, copy)

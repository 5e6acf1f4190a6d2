# SPDX-License-Identifier: Apache-2.0
"""The PyTorch functions against PyTorch's own operations and autograd in double precision."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)

from attn_cuda.torch import additive_attention, attention_pooling  # noqa: E402  (needs torch)

B, Q, T, A, D = 3, 2, 5, 4, 6
LENGTHS = torch.tensor([3, 1, T], dtype=torch.int32)


def masked_softmax(e, lengths):
    if lengths is not None:
        padding = torch.arange(T) >= lengths[:, None]
        e = e.masked_fill(padding.reshape(B, *[1] * (e.ndim - 2), T), -torch.inf)
    return torch.softmax(e, -1)


def eager_additive(q, k, v, x, lengths=None):
    weights = masked_softmax(torch.tanh(q[:, :, None] + k[:, None]) @ v, lengths)
    return weights @ x, weights


def eager_pooling(x, w, b, lengths=None):
    weights = masked_softmax(torch.tanh(x @ w + b), lengths)
    return (weights[..., None] * x).sum(1), weights


@pytest.fixture(params=["additive", "pooling"])
def case(request, draw):
    """Our function, PyTorch's, and inputs."""
    if request.param == "additive":
        return additive_attention, eager_additive, (draw(B, Q, A), draw(B, T, A), draw(A), draw(B, T, D))
    return attention_pooling, eager_pooling, (draw(B, T, D), draw(D), draw(T))


def leaves(arrays, dtype):
    return [torch.from_numpy(array).to(dtype).requires_grad_() for array in arrays]


def assert_close(got, expected) -> None:
    np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("of", ["output", "weights", "both"])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_outputs_and_gradients(case, draw, lengths, of: str) -> None:
    ours, eager, arrays = case
    inputs, exact = leaves(arrays, torch.float32), leaves(arrays, torch.float64)
    outputs, expected = ours(*inputs, lengths), eager(*exact, lengths)
    for got, wanted in zip(outputs, expected, strict=True):
        assert_close(got, wanted)

    used = {"output": [0], "weights": [1], "both": [0, 1]}[of]
    gradients = [torch.from_numpy(draw(*output.shape)) for output in outputs]
    sum((outputs[i] * gradients[i]).sum() for i in used).backward()
    sum((expected[i] * gradients[i]).sum() for i in used).backward()
    for got, wanted in zip(inputs, exact, strict=True):
        # The weights of pooling and additive attention do not depend on all inputs; eager then leaves no gradient.
        assert_close(got.grad, torch.zeros_like(got) if wanted.grad is None else wanted.grad)


def test_views_and_gradients_that_are_not_contiguous(draw) -> None:
    x, w, b = leaves((draw(B, D, T), draw(D), draw(T)), torch.float32)
    o, _ = attention_pooling(x.transpose(1, 2), w, b)
    o.T.contiguous().T.sum().backward()
    exact = leaves((x.detach().numpy(), w.detach().numpy(), b.detach().numpy()), torch.float64)
    eager_pooling(exact[0].transpose(1, 2), *exact[1:])[0].sum().backward()
    for got, wanted in zip((x, w, b), exact, strict=True):
        assert_close(got.grad, wanted.grad)


def test_frozen_input_gets_no_gradient(draw) -> None:
    x, w, b = leaves((draw(B, T, D), draw(D), draw(T)), torch.float32)
    attention_pooling(x.detach(), w, b)[0].sum().backward()
    assert x.grad is None
    assert w.grad is not None


def test_wrong_dtype_is_named(draw) -> None:
    with pytest.raises(RuntimeError, match="w: expected float32 array"):
        attention_pooling(torch.from_numpy(draw(B, T, D)), torch.zeros(D, dtype=torch.float64))

# SPDX-License-Identifier: Apache-2.0
"""Attention as differentiable PyTorch functions on float32 CPU tensors. Shapes and rules are those of attn_cuda.ops."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from attn_cuda import ops


def additive_attention(
    q: torch.Tensor,  # [B, Q, A]
    k: torch.Tensor,  # [B, T, A]
    v: torch.Tensor,  # [A]
    x: torch.Tensor,  # [B, T, D]
    lengths: torch.Tensor | None = None,  # [B] int32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the output [B, Q, D] and the weights [B, Q, T]; both are differentiable."""
    return AdditiveAttention.apply(q, k, v, x, lengths)


def attention_pooling(
    x: torch.Tensor,  # [B, T, D]
    w: torch.Tensor,  # [D]
    b: torch.Tensor | None = None,  # [T]
    lengths: torch.Tensor | None = None,  # [B] int32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the output [B, D] and the weights [B, T]; both are differentiable."""
    return AttentionPooling.apply(x, w, b, lengths)


class AdditiveAttention(torch.autograd.Function):
    """The autograd function of additive_attention: apply(q, k, v, x, lengths)."""

    @staticmethod
    def forward(ctx: Any, q, k, v, x, lengths):
        o, weights, lse = map(torch.from_numpy, ops.additive_forward(*_arrays(q, k, v, x, lengths)))
        ctx.save_for_backward(q, k, v, x, lengths, weights, lse)
        ctx.set_materialize_grads(False)  # the weights are rarely differentiated; None then avoids a gradient of zeros
        return o, weights

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_o, d_weights):
        q, k, v, x, lengths, weights, lse, d_o, d_weights = _arrays(*ctx.saved_tensors, d_o, d_weights)
        if d_o is None:
            d_o = np.zeros((*q.shape[:2], x.shape[2]), np.float32)
        gradient = ops.additive_backward(q, k, v, x, d_o, lse, lengths, weights, d_weights)
        return (*map(torch.from_numpy, gradient), None)


class AttentionPooling(torch.autograd.Function):
    """The autograd function of attention_pooling: apply(x, w, b, lengths)."""

    @staticmethod
    def forward(ctx: Any, x, w, b, lengths):
        ctx.save_for_backward(x, w, b, lengths)
        ctx.set_materialize_grads(False)
        return tuple(map(torch.from_numpy, ops.pooling_forward(*_arrays(x, w, b, lengths))))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_o, d_weights):
        x, w, b, lengths, d_o, d_weights = _arrays(*ctx.saved_tensors, d_o, d_weights)
        if d_o is None:
            d_o = np.zeros((x.shape[0], x.shape[2]), np.float32)
        gradient = ops.pooling_backward(x, w, b, d_o, lengths, d_weights)
        return (*(None if array is None else torch.from_numpy(array) for array in gradient), None)


def _arrays(*tensors: torch.Tensor | None) -> list[Any]:
    """Views the tensors as numpy arrays; copies those that are not contiguous."""
    return [None if tensor is None else tensor.detach().contiguous().numpy() for tensor in tensors]

# SPDX-License-Identifier: Apache-2.0
"""The operations of the two libraries on numpy arrays. Formulas and rules are documented in attn_cuda.h and encoder.h.

The shape of each array is in the comment next to it. Floating-point arrays are float32; lengths are int32 [B] with
values in 0..T (None: every length is T); all are C-contiguous. Other arrays raise AttnError, "<argument>: expected
<rule>, got <value>". Results are new arrays.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_void_p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attn_cuda import _lib
from attn_cuda._arrays import Axes, Floats, Lengths, address, aligned, invalid
from attn_cuda._lib import CORE, ENCODER, Pass


class AdditiveOutput(NamedTuple):
    o: Floats  # [B, Q, D]
    weights: Floats  # [B, Q, T]
    lse: Floats  # [B, Q] log-sum-exp of the scores, for the backward pass


class AdditiveGradient(NamedTuple):
    q: Floats  # [B, Q, A]
    k: Floats  # [B, T, A]
    v: Floats  # [A]
    x: Floats  # [B, T, D]


class PoolingOutput(NamedTuple):
    o: Floats  # [B, D]
    weights: Floats  # [B, T]


class PoolingGradient(NamedTuple):
    x: Floats  # [B, T, D]
    w: Floats  # [D]
    b: Floats | None  # [T]; None if there is no bias


class ProjectedOutput(NamedTuple):
    o: Floats  # [B, Q, D]
    weights: Floats  # [B, Q, T]
    reserve: NDArray[np.uint8]  # for the backward pass


class ProjectedGradient(NamedTuple):
    x: Floats  # [B, T, D]
    h: Floats  # [B, Q, H] or [Q, H]
    w_q: Floats  # [A, H]
    w_k: Floats  # [A, D]
    v: Floats  # [A]
    b: Floats | None  # [A]; None if there is no bias


# ---- additive attention ------------------------------------------------------------------------------------------


def additive_forward(
    q: Floats,  # [B, Q, A]
    k: Floats,  # [B, T, A]
    v: Floats,  # [A]
    x: Floats,  # [B, T, D]
    lengths: Lengths | None = None,
) -> AdditiveOutput:
    """Additive attention: e_ij = sum_a v_a tanh(q_ia + k_ja), weights = softmax_j(e), o_i = sum_j weights_ij x_j."""
    axes = Axes()
    inputs = axes.pointers(q=(q, "B Q A"), k=(k, "B T A"), v=(v, "A"), x=(x, "B T D")) | axes.lengths(lengths)
    output = AdditiveOutput(axes.empty("B Q D"), axes.empty("B Q T"), axes.empty("B Q"))
    args = _lib.AdditiveForwardArgs(**inputs, **_outputs(output))
    _compute(CORE, "additive", Pass.FORWARD, _lib.AdditiveDesc(**axes.sizes), args)
    return output


def additive_backward(
    q: Floats,  # [B, Q, A]; q, k, v, x and lengths as in the forward pass
    k: Floats,  # [B, T, A]
    v: Floats,  # [A]
    x: Floats,  # [B, T, D]
    d_o: Floats,  # [B, Q, D] gradient of o
    lse: Floats,  # [B, Q] from the forward pass
    lengths: Lengths | None = None,
    weights: Floats | None = None,  # [B, Q, T] from the forward pass, which saves recomputing them
    d_weights: Floats | None = None,  # [B, Q, T] gradient of the weights; None: zero
) -> AdditiveGradient:
    """Computes the gradients of q, k, v and x from those of o and of the weights."""
    axes = Axes()
    inputs = axes.pointers(
        q=(q, "B Q A"), k=(k, "B T A"), v=(v, "A"), x=(x, "B T D"), lse=(lse, "B Q"), d_o=(d_o, "B Q D")
    )
    inputs |= axes.lengths(lengths) | axes.optional(weights=(weights, "B Q T"), d_weights=(d_weights, "B Q T"))
    gradient = AdditiveGradient(*map(np.empty_like, (q, k, v, x)))
    args = _lib.AdditiveBackwardArgs(**inputs, **_outputs(gradient, "d_"))
    _compute(CORE, "additive", Pass.BACKWARD, _lib.AdditiveDesc(**axes.sizes), args)
    return gradient


# ---- attention pooling -------------------------------------------------------------------------------------------


def pooling_forward(
    x: Floats,  # [B, T, D]
    w: Floats,  # [D]
    b: Floats | None = None,  # [T]
    lengths: Lengths | None = None,
) -> PoolingOutput:
    """Attention pooling: e_t = tanh(x_t . w + b_t), weights = softmax_t(e), o = sum_t weights_t x_t."""
    axes = Axes()
    inputs = axes.pointers(x=(x, "B T D"), w=(w, "D")) | axes.optional(b=(b, "T")) | axes.lengths(lengths)
    output = PoolingOutput(axes.empty("B D"), axes.empty("B T"))
    args = _lib.PoolingForwardArgs(**inputs, **_outputs(output))
    _compute(CORE, "pooling", Pass.FORWARD, _lib.PoolingDesc(**axes.sizes), args)
    return output


def pooling_backward(
    x: Floats,  # [B, T, D]; x, w, b and lengths as in the forward pass
    w: Floats,  # [D]
    b: Floats | None,  # [T]
    d_o: Floats,  # [B, D] gradient of o
    lengths: Lengths | None = None,
    d_weights: Floats | None = None,  # [B, T] gradient of the weights; None: zero
) -> PoolingGradient:
    """Computes the gradients of x, w and b from those of o and of the weights."""
    axes = Axes()
    inputs = axes.pointers(x=(x, "B T D"), w=(w, "D"), d_o=(d_o, "B D"))
    inputs |= axes.optional(b=(b, "T"), d_weights=(d_weights, "B T")) | axes.lengths(lengths)
    gradient = PoolingGradient(np.empty_like(x), np.empty_like(w), None if b is None else np.empty_like(b))
    args = _lib.PoolingBackwardArgs(**inputs, **_outputs(gradient, "d_"))
    _compute(CORE, "pooling", Pass.BACKWARD, _lib.PoolingDesc(**axes.sizes), args)
    return gradient


# ---- projected additive attention --------------------------------------------------------------------------------


def projected_forward(
    x: Floats,  # [B, T, D]
    h: Floats,  # [B, Q, H], or [Q, H] for queries shared by all items
    w_q: Floats,  # [A, H]
    w_k: Floats,  # [A, D]
    v: Floats,  # [A]
    lengths: Lengths | None = None,
    b: Floats | None = None,  # [A] bias of the keys
) -> ProjectedOutput:
    """Projected attention: q_i = w_q h_i, k_j = w_k x_j + b, then additive attention with q, k, v and the values x."""
    axes, inputs, desc = _projected_inputs(x, h, w_q, w_k, v, b, lengths)
    output = ProjectedOutput(axes.empty("B Q D"), axes.empty("B Q T"), aligned(_reserve_size(desc)))
    _compute(ENCODER, "projected", Pass.FORWARD, desc, _lib.ProjectedForwardArgs(**inputs, **_outputs(output)))
    return output


def projected_backward(
    x: Floats,  # this and the inputs down to v, lengths and b as in the forward pass
    h: Floats,
    w_q: Floats,
    w_k: Floats,
    v: Floats,
    d_o: Floats,  # [B, Q, D] gradient of o
    reserve: NDArray[np.uint8],  # from the forward pass
    lengths: Lengths | None = None,
    weights: Floats | None = None,  # [B, Q, T] from the forward pass, which saves recomputing them
    d_weights: Floats | None = None,  # [B, Q, T] gradient of the weights; None: zero
    b: Floats | None = None,  # [A]
) -> ProjectedGradient:
    """Computes the gradients of x, h and all parameters from those of o and of the weights.

    The gradient of h [Q, H] is summed over the items.
    """
    axes, inputs, desc = _projected_inputs(x, h, w_q, w_k, v, b, lengths)
    inputs |= axes.pointers(d_o=(d_o, "B Q D")) | axes.optional(
        weights=(weights, "B Q T"), d_weights=(d_weights, "B Q T")
    )
    if reserve.nbytes != _reserve_size(desc):
        raise invalid("reserve", f"the {_reserve_size(desc)} bytes of the forward pass", f"{reserve.nbytes} bytes")
    d_x, d_h, d_w_q, d_w_k, d_v = map(np.empty_like, (x, h, w_q, w_k, v))
    gradient = ProjectedGradient(d_x, d_h, d_w_q, d_w_k, d_v, None if b is None else np.empty_like(b))
    args = _lib.ProjectedBackwardArgs(**inputs, reserve=address(reserve), **_outputs(gradient, "d_"))
    _compute(ENCODER, "projected", Pass.BACKWARD, desc, args)
    return gradient


def _projected_inputs(
    x: Floats, h: Floats, w_q: Floats, w_k: Floats, v: Floats, b: Floats | None, lengths: Lengths | None
) -> tuple[Axes, dict[str, int | None], _lib.ProjectedDesc]:
    shared = getattr(h, "ndim", 0) == 2
    axes = Axes()
    inputs = axes.pointers(
        x=(x, "B T D"), h=(h, "Q H" if shared else "B Q H"), w_q=(w_q, "A H"), w_k=(w_k, "A D"), v=(v, "A")
    )
    inputs |= axes.optional(b=(b, "A"))
    return axes, inputs | axes.lengths(lengths), _lib.ProjectedDesc(**axes.sizes, shared_query=int(shared))


def _reserve_size(desc: _lib.ProjectedDesc) -> int:
    size = c_size_t()
    _lib.check(_lib.load(ENCODER).attn_projected_reserve_size(_lib.handle(), byref(desc), byref(size)))
    return size.value


# ---- LSTM ----------------------------------------------------------------------------------------------


def lstm_forward(
    x: Floats,  # [B, T, E]
    kernel: Floats,  # [n, E, 4H]; gates i, f, g, o; n = 1 or 2 directions, the second one backwards
    recurrent: Floats,  # [n, H, 4H]
    bias: Floats,  # [n, 4H]
    lengths: Lengths | None = None,
) -> Floats:
    """LSTM of one layer: y [B, T, nH], the concatenated directions, zero at and beyond an item's length."""
    axes = Axes()
    n = 1 if np.shape(kernel)[:1] == (1,) else 2
    inputs = axes.pointers(
        x=(x, "B T E"), recurrent=(recurrent, f"{n} H 4H"), kernel=(kernel, f"{n} E 4H"), bias=(bias, f"{n} 4H")
    )
    inputs |= axes.lengths(lengths)
    y = axes.empty(f"B T {n}H")

    encoder = _lib.load(ENCODER)
    desc = _lib.LstmDesc(**axes.sizes, directions=n)
    plan, size = c_void_p(), c_size_t()
    _lib.check(encoder.attn_lstm_create(_lib.handle(), byref(desc), byref(plan)))
    try:
        _lib.check(encoder.attn_lstm_workspace_size(plan, Pass.FORWARD, byref(size)))
        args = _lib.LstmForwardArgs(**inputs, y=address(y))
        workspace = aligned(size.value)
        _lib.check(encoder.attn_lstm_forward(plan, byref(args), c_void_p(address(workspace)), size))
    finally:
        encoder.attn_lstm_destroy(plan)
    return y


# ---- the library -------------------------------------------------------------------------------------------------


def version() -> str:
    """Returns the version of the loaded library."""
    return _lib.load(CORE).attn_version().decode()


def set_threads(threads: int) -> None:
    """Sets the number of threads, at least 1, for this Python thread. The same number gives the same bits."""
    _lib.check(_lib.load(CORE).attn_set_threads(_lib.handle(), threads))


# ---- calls ----------------------------------------------------------------------------------------------------------


def _outputs(arrays: NamedTuple, prefix: str = "") -> dict[str, int | None]:
    """The addresses of the output arrays, by the names of their C fields."""
    return {prefix + name: None if array is None else address(array) for name, array in arrays._asdict().items()}


def _compute(name: str, operation: str, which: Pass, desc: ctypes.Structure, args: ctypes.Structure) -> None:
    """Calls attn_<operation>_<pass> of the library `name` with a workspace of the required size."""
    library, handle, size = _lib.load(name), _lib.handle(), c_size_t()
    _lib.check(getattr(library, f"attn_{operation}_workspace_size")(handle, byref(desc), which, byref(size)))
    workspace = aligned(size.value)
    call = getattr(library, f"attn_{operation}_{which.name.lower()}")
    _lib.check(call(handle, byref(desc), byref(args), c_void_p(address(workspace)), size))

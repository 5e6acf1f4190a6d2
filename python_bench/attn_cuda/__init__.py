# SPDX-License-Identifier: Apache-2.0
"""Fused additive attention on numpy arrays, forward and backward, through libattn_cuda's C interface.

Alphabet: B batch size, Q queries, T keys (positions), A attention width, D value width, H width of the queries h.
Arrays are float32 (lengths: int32) and C-contiguous. `attn_cuda.torch` offers attention as differentiable PyTorch
functions, `attn_cuda.convert` converts classifier weights from and to Keras and PyTorch.
"""

from attn_cuda._lib import AttnError, Status
from attn_cuda.ops import (
    AdditiveGradient,
    AdditiveOutput,
    PoolingGradient,
    PoolingOutput,
    ProjectedGradient,
    ProjectedOutput,
    additive_backward,
    additive_forward,
    lstm_forward,
    pooling_backward,
    pooling_forward,
    projected_backward,
    projected_forward,
    set_threads,
    version,
)

__all__ = [
    "AdditiveGradient",
    "AdditiveOutput",
    "AttnError",
    "PoolingGradient",
    "PoolingOutput",
    "ProjectedGradient",
    "ProjectedOutput",
    "Status",
    "additive_backward",
    "additive_forward",
    "lstm_forward",
    "pooling_backward",
    "pooling_forward",
    "projected_backward",
    "projected_forward",
    "set_threads",
    "version",
]

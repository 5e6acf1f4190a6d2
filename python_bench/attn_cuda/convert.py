# SPDX-License-Identifier: Apache-2.0
"""Classifier weights from and to Keras and PyTorch, as numpy arrays; neither framework is needed.

Ours (safetensors, float32), D = 2H:
    embedding [V, E]  dense.w [D]  dense.b [1]
    lstm.0.kernel [2, E, 4H]  lstm.0.recurrent [2, H, 4H]  lstm.0.bias [2, 4H]
    attention.w [D]  attention.b [T]                                                        of attention pooling, or
    attention.w_q [A, Hq]  attention.w_k [A, D]  attention.v [A]  attention.h [1, Hq]       of additive attention

Checkpoints of earlier versions, which name the LSTM's tensors lstm.kernel and so on, are read as well.

Keras: the list that model.get_weights() returns for Embedding, Bidirectional(LSTM), attention, Dense. Attention is
either w [D, 1], b [T, 1] or w_q [Hq, A], w_k [D, A], v [A], h [1, Hq].
In a file as np.savez("weights.npz", *model.get_weights()) writes it.

PyTorch: a state dict with the modules embedding, lstm (nn.LSTM, one layer, bidirectional), dense (nn.Linear(D, 1)) and
attention, whose parameters are named and shaped like ours. In a file as safetensors.torch.save_file writes it.

All three order the LSTM's gates input, forget, cell, output. PyTorch has two biases per gate where the others have
one: their sum is imported; exported are the sum and zeros.
"""

from __future__ import annotations

import argparse
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from attn_cuda._arrays import Axes, Floats, invalid
from attn_cuda._files import write_whole
from attn_cuda._lib import AttnError

# The recurrent kernel comes first because it tells H.
_COMMON = {
    "lstm.0.recurrent": "2 H 4H",
    "lstm.0.kernel": "2 E 4H",
    "lstm.0.bias": "2 4H",
    "embedding": "V E",
    "dense.w": "2H",
    "dense.b": "1",
}
_POOLING = {"attention.w": "2H", "attention.b": "T"}
_ADDITIVE = {"attention.w_q": "A Hq", "attention.w_k": "A 2H", "attention.v": "A", "attention.h": "1 Hq"}

_LSTM = ("lstm.0.kernel", "lstm.0.recurrent", "lstm.0.bias")
_EARLIER_NAMES = {name: name.replace(".0.", ".") for name in _LSTM}

_TORCH_LSTM = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_TORCH_ENDS = ("", "_reverse")  # of the names of either direction


def from_keras(weights: Sequence[NDArray]) -> dict[str, Floats]:
    """Our tensors from the list that model.get_weights() returns."""
    if len(weights) not in (11, 13):
        raise invalid("weights", "11 arrays (attention pooling) or 13 (additive attention)", f"{len(weights)}")
    embedding, *lstm, dense_w, dense_b = weights
    attention = lstm[6:]
    if len(attention) == 2:
        ours = {name: _column(name, array) for name, array in zip(_POOLING, attention, strict=True)}
    else:
        w_q, w_k, v, h = attention
        ours = {"attention.w_q": w_q.T, "attention.w_k": w_k.T, "attention.v": v, "attention.h": h}
    for name, forward, backward in zip(_LSTM, lstm[:3], lstm[3:6], strict=True):
        ours[name] = _both(name, forward, backward)
    return _checked(ours | {"embedding": embedding, "dense.w": _column("dense.w", dense_w), "dense.b": dense_b})


def to_keras(tensors: Mapping[str, NDArray]) -> list[Floats]:
    """The list that model.set_weights() takes; tensors of a checkpoint that are not weights are left out."""
    ours = _checked(tensors)
    lstm = [ours[name][direction] for direction in (0, 1) for name in _LSTM]
    if "attention.w" in ours:
        attention = [ours["attention.w"][:, None], ours["attention.b"][:, None]]
    else:
        attention = [ours["attention.w_q"].T, ours["attention.w_k"].T, ours["attention.v"], ours["attention.h"]]
    arrays = [ours["embedding"], *lstm, *attention, ours["dense.w"][:, None], ours["dense.b"]]
    return [np.ascontiguousarray(array) for array in arrays]


def from_torch(state: Mapping[str, NDArray]) -> dict[str, Floats]:
    """Our tensors from a state dict."""
    attention = {name: array for name, array in state.items() if name.startswith("attention.")}
    lstm = {part: [f"lstm.{part}_l0{end}" for end in _TORCH_ENDS] for part in _TORCH_LSTM}
    expected = {"embedding.weight", *attention, *itertools.chain(*lstm.values()), "dense.weight", "dense.bias"}
    if different := expected ^ set(state):
        raise invalid("state", f"the parameters {sorted(expected)}", f"a difference in {sorted(different)}")
    if state["dense.weight"].shape[:1] != (1,):
        raise invalid("dense.weight", "an array [1, D]", f"{list(state['dense.weight'].shape)}")
    both = {part: _both(part, *(state[name] for name in names)) for part, names in lstm.items()}
    ours = {
        "embedding": state["embedding.weight"],
        "lstm.0.kernel": both["weight_ih"].swapaxes(1, 2),
        "lstm.0.recurrent": both["weight_hh"].swapaxes(1, 2),
        "lstm.0.bias": both["bias_ih"] + both["bias_hh"],
        "dense.w": state["dense.weight"][0],
        "dense.b": state["dense.bias"],
    }
    return _checked(attention | ours)


def to_torch(tensors: Mapping[str, NDArray]) -> dict[str, Floats]:
    """The state dict; tensors of a checkpoint that are not weights are left out."""
    ours = _checked(tensors)
    state = {name: array for name, array in ours.items() if name.startswith("attention.")}
    state["embedding.weight"] = ours["embedding"]
    state["dense.weight"] = ours["dense.w"][None]
    state["dense.bias"] = ours["dense.b"]
    for direction, end in enumerate(_TORCH_ENDS):
        bias = ours["lstm.0.bias"][direction]
        state[f"lstm.weight_ih_l0{end}"] = ours["lstm.0.kernel"][direction].T
        state[f"lstm.weight_hh_l0{end}"] = ours["lstm.0.recurrent"][direction].T
        state[f"lstm.bias_ih_l0{end}"] = bias
        state[f"lstm.bias_hh_l0{end}"] = np.zeros_like(bias)
    return {name: np.ascontiguousarray(array) for name, array in state.items()}


def _column(name: str, array: NDArray) -> NDArray:
    if array.ndim != 2 or array.shape[1] != 1:
        raise invalid(name, "one column", f"an array {list(array.shape)}")
    return array[:, 0]


def _both(name: str, forward: NDArray, backward: NDArray) -> NDArray:
    if forward.shape != backward.shape:
        raise invalid(name, "one shape in both directions", f"{list(forward.shape)} and {list(backward.shape)}")
    return np.stack([forward, backward])


def _checked(tensors: Mapping[str, NDArray]) -> dict[str, Floats]:
    """The weights alone, float32 and contiguous, with shapes that fit each other."""
    layout = _COMMON | (_POOLING if "attention.w" in tensors else _ADDITIVE)
    tensors = {name: tensors[old] for name, old in _EARLIER_NAMES.items() if old in tensors} | dict(tensors)
    if missing := [name for name in layout if name not in tensors]:
        raise invalid("tensors", f"the weights {sorted(layout)}", f"none named {', '.join(missing)}")
    ours = {name: np.ascontiguousarray(tensors[name], np.float32) for name in layout}
    Axes().pointers(**{name: (array, layout[name]) for name, array in ours.items()})
    return ours


# ---- command line ------------------------------------------------------------------------------------------------


def _load_npz(path: Path) -> list[NDArray]:
    with np.load(path) as arrays:
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]


def _save_npz(weights: list[Floats]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, *weights)
    return buffer.getvalue()


class _Conversion(NamedTuple):
    load: Callable
    convert: Callable
    save: Callable[..., bytes]


_CONVERSIONS = {
    "from-keras": _Conversion(_load_npz, from_keras, safetensors.numpy.save),
    "to-keras": _Conversion(safetensors.numpy.load_file, to_keras, _save_npz),
    "from-torch": _Conversion(safetensors.numpy.load_file, from_torch, safetensors.numpy.save),
    "to-torch": _Conversion(safetensors.numpy.load_file, to_torch, safetensors.numpy.save),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m attn_cuda.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("direction", choices=_CONVERSIONS)
    parser.add_argument("source", type=Path, help="a checkpoint, a state dict (safetensors) or Keras's list (npz)")
    parser.add_argument("destination", type=Path, help="the file to write")
    options = parser.parse_args()
    conversion = _CONVERSIONS[options.direction]
    try:
        data = conversion.save(conversion.convert(conversion.load(options.source)))
    except (AttnError, OSError, ValueError, KeyError, SafetensorError) as error:
        parser.exit(1, f"{parser.prog}: {options.source}: {error}\n")
    try:
        write_whole(options.destination, data)
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()

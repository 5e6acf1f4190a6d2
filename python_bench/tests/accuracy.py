# SPDX-License-Identifier: Apache-2.0
"""Prints a table of the errors of the fp32 results on the CPU, compared with the formulas in float64.

    python python_bench/tests/accuracy.py

The error of a tensor is its largest absolute error divided by its largest absolute value, in units of 2^-23, the
epsilon of fp32. The formulas take the same inputs, and their gradients come from complex steps. Activations are
standard normal, weights are divided by the square root of their width. The table shows the worst of three seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import formulas
import numpy as np

import attn_cuda

EPSILON = 2.0**-23


def error(got: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(got - expected).max() / np.abs(expected).max() / EPSILON)


def compare(seed: int, B: int, Q: int, T: int, A: int, D: int, H: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yields the name of each pass with the errors of its tensors."""
    generator = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape).astype(np.float32)

    x, d_o, d_weights = draw(B, T, D), draw(B, Q, D), draw(B, Q, T)
    yield from attention(
        "additive", (draw(B, Q, A), draw(B, T, A), draw(A) / np.float32(A**0.5), x), "q k v x", d_o, d_weights
    )
    weights = draw(D) / np.float32(D**0.5)
    yield from attention("pooling", (x, weights, draw(T)), "x w b", d_o[:, 0].copy(), d_weights[:, 0].copy())
    w_q, w_k = draw(A, H) / np.float32(H**0.5), draw(A, D) / np.float32(D**0.5)
    v, b = draw(A) / np.float32(A**0.5), draw(A)
    yield from attention("projected", (x, draw(B, Q, H), w_q, w_k, v, b), "x h w_q w_k v b", d_o, d_weights)

    kernel, recurrent = draw(1, D, 4 * H) / np.float32(D**0.5), draw(1, H, 4 * H) / np.float32(H**0.5)
    bias = draw(1, 4 * H)
    y = attn_cuda.lstm_forward(x, kernel, recurrent, bias)
    expected = formulas.lstm_keras(*map(np.float64, (x, kernel[0], recurrent[0], bias[0])))
    yield "lstm forward", {"y": error(y, expected)}


def attention(name: str, inputs: tuple, names: str, d_o: np.ndarray, d_weights: np.ndarray) -> Iterator:
    formula = getattr(formulas, name)
    exact = [np.float64(array) for array in inputs]
    options = {}
    if name == "projected":  # its bias is a keyword
        *inputs, options["b"] = inputs
    output = getattr(attn_cuda, f"{name}_forward")(*inputs, **options)
    o, weights = formula(*exact)
    yield f"{name} forward", {"o": error(output.o, o), "weights": error(output.weights, weights)}

    def total(*arguments: np.ndarray) -> complex:
        o, weights = formula(*arguments)
        return np.sum(o * d_o) + np.sum(weights * d_weights)

    kept = () if name == "pooling" else (output[2],)  # lse or the reserve space
    gradient = getattr(attn_cuda, f"{name}_backward")(*inputs, d_o, *kept, d_weights=d_weights, **options)
    expected = zip(names.split(), formulas.gradients(total, exact), strict=True)
    yield f"{name} backward", {f"d_{tensor}": error(getattr(gradient, tensor), array) for tensor, array in expected}


def main() -> None:
    sizes = {"B": 2, "Q": 3, "T": 40, "A": 32, "D": 24, "H": 16}
    worst: dict[str, dict[str, float]] = {}
    for seed in range(1, 4):
        for name, errors in compare(seed, **sizes):
            row = worst.setdefault(name, {})
            for tensor, value in errors.items():
                row[tensor] = max(row.get(tensor, 0), value)
    print("| pass | largest errors, in units of 2^-23 |\n|---|---|")
    for name, row in worst.items():
        print(f"| {name} | {', '.join(f'{tensor} {value:.1f}' for tensor, value in row.items())} |")


if __name__ == "__main__":
    main()

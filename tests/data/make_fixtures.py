# SPDX-License-Identifier: Apache-2.0
"""Prints inputs and expected results of one operation, computed by numpy in float64 from the published formulas.

    python3 make_fixtures.py {additive,pooling,projected,lstm,embedding,dense,cross_entropy,adam}

One tensor a line: its name, then its elements as hexadecimal floats. Padding is NaN. Exit status 77: no numpy.
"""

import sys

try:
    import numpy as np
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

rng = np.random.default_rng(20150519)


def valid_keys(lengths, T):
    return np.arange(T) < lengths[:, None]  # [B, T]


def with_padding(values, valid):
    return np.where(valid[:, :, None], values, np.nan)


def masked_softmax(e, valid):
    """Softmax over the last axis: returns the weights and the log-sum-exp. `valid` is broadcast to the shape of e."""
    e = np.where(valid, e, -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        lse = np.logaddexp.reduce(e, axis=-1)
        weights = np.where(valid, np.exp(e - lse[..., None]), 0.0)
    return weights, lse


def additive_attention(q, k, v, x, valid):
    k, x = np.where(valid[:, :, None], k, 0), np.where(valid[:, :, None], x, 0)
    e = np.tanh(q[:, :, None, :] + k[:, None, :, :]) @ v  # [B, Q, T]
    weights, lse = masked_softmax(e, valid[:, None, :])
    return dict(o=np.einsum("bqt,btd->bqd", weights, x), weights=weights, lse=lse)


def additive():
    B, Q, T, A, D = 4, 3, 17, 9, 6
    lengths = np.array([17, 0, 1, 11])
    valid = valid_keys(lengths, T)
    data = dict(
        q=rng.normal(size=(B, Q, A)),
        k=with_padding(rng.normal(size=(B, T, A)), valid),
        v=rng.normal(size=A),
        x=with_padding(rng.normal(size=(B, T, D)), valid),
    )
    return dict(sizes=[B, Q, T, A, D], lengths=lengths, **data, **additive_attention(**data, valid=valid))


def pooling():
    B, T, D = 4, 13, 7
    lengths = np.array([5, 13, 0, 1])
    valid = valid_keys(lengths, T)
    x, w, b = with_padding(rng.normal(size=(B, T, D)), valid), rng.normal(size=D), rng.normal(size=T)
    clean = np.nan_to_num(x)
    weights, _ = masked_softmax(np.tanh(clean @ w + b), valid)
    o = (weights[:, :, None] * clean).sum(axis=1)
    return dict(sizes=[B, T, D], lengths=lengths, x=x, w=w, b=b, o=o, weights=weights)


def projected():
    B, Q, T, A, D, H = 3, 2, 9, 5, 4, 6
    lengths = np.array([9, 4, 0])
    valid = valid_keys(lengths, T)
    x = with_padding(rng.normal(size=(B, T, D)), valid)
    h, shared = rng.normal(size=(B, Q, H)), rng.normal(size=(Q, H))
    w_q, w_k, v = rng.normal(size=(A, H)), rng.normal(size=(A, D)), rng.normal(size=A)
    out = additive_attention(h @ w_q.T, x @ w_k.T, v, x, valid)
    shared_out = additive_attention(np.broadcast_to(shared @ w_q.T, (B, Q, A)), x @ w_k.T, v, x, valid)
    return dict(
        sizes=[B, Q, T, A, D, H], lengths=lengths, x=x, h=h, shared_h=shared, w_q=w_q, w_k=w_k, v=v,
        o=out["o"], weights=out["weights"], shared_o=shared_out["o"], shared_weights=shared_out["weights"],
    )  # fmt: skip


def sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * z))


def run_lstm(x, kernel, recurrent, bias):
    """Computes all items and positions at once. y [B, T, H] is causal, so padding at the end affects no valid row."""
    y = c = np.zeros((x.shape[0], recurrent.shape[0]))
    states = []
    for x_t in np.moveaxis(x, 1, 0):
        i, f, candidate, o = np.split(x_t @ kernel + y @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        y = sigmoid(o) * np.tanh(c)
        states.append(y)
    return np.stack(states, axis=1)


def reverse_prefixes(x, lengths):
    positions = np.broadcast_to(np.arange(x.shape[1]), x.shape[:2])
    source = np.where(positions < lengths[:, None], lengths[:, None] - 1 - positions, positions)
    return np.take_along_axis(x, source[:, :, None], axis=1)


def lstm():
    B, T, E, H = 4, 8, 3, 5
    lengths = np.array([3, 8, 0, 1])
    valid = valid_keys(lengths, T)
    x = with_padding(rng.normal(size=(B, T, E)), valid)
    kernel, recurrent = rng.normal(size=(2, E, 4 * H)), rng.normal(size=(2, H, 4 * H))
    bias = rng.normal(size=(2, 4 * H))
    clean = np.nan_to_num(x)
    first = run_lstm(clean, kernel[0], recurrent[0], bias[0])
    last = run_lstm(reverse_prefixes(clean, lengths), kernel[1], recurrent[1], bias[1])
    y = np.concatenate([first, reverse_prefixes(last, lengths)], axis=2) * valid[:, :, None]
    return dict(sizes=[B, T, E, H], lengths=lengths, x=x, kernel=kernel, recurrent=recurrent, bias=bias, y=y)


def embedding():
    V, E, N = 6, 3, 14
    table, ids, d_rows = rng.normal(size=(V, E)), rng.integers(0, V - 1, size=N), rng.normal(size=(N, E))
    one_hot = np.eye(V)[ids]  # [N, V]
    return dict(sizes=[V, E], ids=ids, table=table, d_rows=d_rows, rows=one_hot @ table, d_table=one_hot.T @ d_rows)


def dense():
    B, D = 7, 19
    x, w, b = rng.normal(size=(B, D)), rng.normal(size=D), rng.normal(size=1)
    return dict(sizes=[B, D], x=x, w=w, b=b, z=x @ w + b)


def cross_entropy():
    z = np.concatenate([rng.normal(scale=4, size=40), [0.0, 40.0, -40.0, 700.0, -700.0]])
    y = np.concatenate([rng.integers(0, 2, size=20), rng.uniform(size=20), [1, 0, 1, 1, 0]])
    return dict(z=z, y=y, losses=np.logaddexp(0, z) - y * z, d_z=(sigmoid(z) - y) / len(z))


def adam():
    """Seven steps from moments of zero, unrolled: each moment is a weighted sum over the gradients so far."""
    N, steps, rate, beta_1, beta_2, epsilon = 11, 7, 0.01, 0.9, 0.999, 1e-7
    p, g = rng.normal(size=N), rng.normal(size=(steps, N))
    g[:, 0] = 0
    trace = []
    value = p
    for t in range(1, steps + 1):
        age = np.arange(t)[::-1]
        m = (1 - beta_1) * (beta_1**age @ g[:t])
        s = (1 - beta_2) * (beta_2**age @ g[:t] ** 2)
        value = value - rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(s) + epsilon)
        trace.append(value)
    return dict(settings=[rate, beta_1, beta_2, epsilon], sizes=[steps, N], p=p, g=g, trace=np.stack(trace), m=m, s=s)


OPERATIONS = {f.__name__: f for f in (additive, pooling, projected, lstm, embedding, dense, cross_entropy, adam)}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in OPERATIONS:
        sys.exit(__doc__)
    for name, tensor in OPERATIONS[sys.argv[1]]().items():
        print(name, *(float(value).hex() for value in np.ravel(tensor)))

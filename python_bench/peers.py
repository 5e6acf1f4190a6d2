# SPDX-License-Identifier: Apache-2.0
"""Compares time per training step and inference batch and peak memory with Keras and PyTorch, in one run.

In every round each system runs once, in a process of its own, so that a busy moment of the machine affects all of them
alike. The medians over the rounds are reported. Model and sizes are the article's, ids are random, and all systems use
the same number of threads.

Ours is measured by a program that prints one JSON object with the keys train_ms, infer_ms and peak_mib.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

OURS = "attn_cuda"
VOCABULARY, LENGTH, EMBEDDING, HIDDEN, BATCH = 10000, 200, 128, 64, 32


class Figures(NamedTuple):
    train_ms: float  # per training step
    infer_ms: float  # per inference batch
    peak_mib: float  # peak resident memory of the process


# ---- the measurement of one process -------------------------------------------------------------------------------


def measure_keras(warm_up: int, steps: int) -> Figures:
    import keras

    import keras_classifier

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        threads = int(os.environ["OMP_NUM_THREADS"])
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    model = keras_classifier.build(VOCABULARY, LENGTH, EMBEDDING, HIDDEN, mask=False)
    ids, labels = random_batches(steps)
    train_ms = median_ms(warm_up, steps, lambda i: model.train_on_batch(ids[i], labels[i]))
    infer_ms = median_ms(warm_up, steps, lambda i: model.predict_on_batch(ids[i]))
    return Figures(train_ms, infer_ms, peak_mib())


def measure_torch(warm_up: int, steps: int) -> Figures:
    import torch

    import torch_classifier

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = torch_classifier.Classifier(VOCABULARY, LENGTH, EMBEDDING, HIDDEN)
    optimiser = torch_classifier.optimiser(model)
    cross_entropy = torch.nn.BCEWithLogitsLoss()
    ids, labels = map(torch.from_numpy, random_batches(steps))

    def train(i: int) -> None:
        optimiser.zero_grad()
        loss = cross_entropy(model(ids[i]), labels[i])
        loss.backward()
        optimiser.step()
        loss.item()

    train_ms = median_ms(warm_up, steps, train)
    with torch.inference_mode():
        infer_ms = median_ms(warm_up, steps, lambda i: torch.sigmoid(model(ids[i])).numpy())
    return Figures(train_ms, infer_ms, peak_mib())


def random_batches(count: int):
    """Returns ids [count, B, T] int32 and labels [count, B] float32."""
    import numpy as np

    generator = np.random.default_rng(1)
    ids = generator.integers(1, VOCABULARY, (count, BATCH, LENGTH), dtype=np.int32)
    return ids, generator.integers(0, 2, (count, BATCH)).astype(np.float32)


def median_ms(warm_up: int, steps: int, work: Callable[[int], object]) -> float:
    for i in range(warm_up):
        work(i % steps)
    times = []
    for i in range(steps):
        start = time.perf_counter()
        work(i)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def peak_mib() -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


# ---- rounds ------------------------------------------------------------------------------------------------------


class System(NamedTuple):
    module: str  # the module that must be installed
    measure: Callable[[int, int], Figures]
    environment: dict[str, str]


PEERS = {
    "Keras, TensorFlow": System("tensorflow", measure_keras, {"KERAS_BACKEND": "tensorflow"}),
    "Keras, JAX": System("jax", measure_keras, {"KERAS_BACKEND": "jax"}),
    "PyTorch eager": System("torch", measure_torch, {}),
}


def run_once(command: list[str], environment: dict[str, str], threads: int) -> Figures:
    counts = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads))
    result = subprocess.run(command, env=os.environ | counts | environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{shlex.join(command)} failed:\n{result.stderr}")
    values = json.loads(result.stdout.splitlines()[-1])
    return Figures(*(values[name] for name in Figures._fields))


def table(figures: dict[str, list[Figures]]) -> str:
    medians = {name: Figures(*map(statistics.median, zip(*rounds, strict=True))) for name, rounds in figures.items()}
    peers = [row for name, row in medians.items() if name != OURS]
    lines = ["| system | training step, ms | inference batch, ms | peak memory, MiB |", "|---|---|---|---|"]
    for name, row in medians.items():
        spread = [f"{min(column):.1f} to {max(column):.1f}" for column in zip(*figures[name], strict=True)]
        cells = [f"{value:.1f} ({within})" for value, within in zip(row, spread, strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if OURS in medians and peers:
        best = map(min, zip(*peers, strict=True))
        ratios = [f"{ours / theirs:.2f}" for ours, theirs in zip(medians[OURS], best, strict=True)]
        lines.append(f"| {OURS} / best of the others | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main() -> None:
    options = parse_options()
    if options.measure:
        print(json.dumps(PEERS[options.measure].measure(options.warm_up, options.steps)._asdict()))
        return
    commands: dict[str, tuple[list[str], dict[str, str]]] = {}
    if options.ours:
        commands[OURS] = shlex.split(options.ours), {}
    counts = ["--warm-up", str(options.warm_up), "--steps", str(options.steps)]
    for name, system in PEERS.items():
        if importlib.util.find_spec(system.module) is None:
            print(f"{name}: left out, {system.module} is not installed", file=sys.stderr)
        else:
            commands[name] = ([sys.executable, __file__, *counts, "--measure", name], system.environment)
    figures: dict[str, list[Figures]] = {name: [] for name in commands}
    for number in range(1, options.rounds + 1):
        for name, (command, environment) in commands.items():
            figures[name].append(run_once(command, environment, options.threads))
            print(f"round {number}, {name}: {figures[name][-1]}", file=sys.stderr)
    print(table(figures))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", metavar="COMMAND", help="the program that measures attn_cuda, with its arguments")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=5, help="training steps and batches before the measured ones")
    parser.add_argument("--steps", type=int, default=30, help="training steps and inference batches in each round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure", choices=PEERS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()

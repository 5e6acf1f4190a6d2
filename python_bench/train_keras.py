# SPDX-License-Identifier: Apache-2.0
"""Trains the article's classifier in Keras on the token ids that attn_train caches, with the article's settings, once
per seed, and prints a CSV line after every epoch, for comparison with our own training."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_classifier
import reviews

BATCH = 32


def main() -> None:
    options = parse_options()
    data = [prepare(options, part) for part in ("train", "test")]
    print("seed,epoch,train_loss,train_accuracy,test_loss,test_accuracy,seconds", flush=True)
    for seed in range(1, options.seeds + 1):
        train(options, seed, *data)


def prepare(options: argparse.Namespace, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns ids [N, T] and labels [N] of the whole part."""
    corpus = reviews.load(options.data, part)
    ids, _ = reviews.batch(corpus, np.arange(len(corpus)), options.length, options.mask)
    return ids, corpus.labels.astype(np.float32)


def train(options: argparse.Namespace, seed: int, training: tuple, test: tuple) -> None:
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    adam = keras_classifier.DenseAdam if options.dense_adam else keras.optimizers.Adam
    model = keras_classifier.build(
        options.vocabulary, options.length, options.embedding, options.hidden, options.mask, adam
    )
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        history = model.fit(*training, batch_size=BATCH, shuffle=True, verbose=0, validation_data=test).history
        values = [history[name][0] for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
        line = ",".join(f"{value:.5f}" for value in values)
        print(f"{seed},{epoch},{line},{time.perf_counter() - start:.1f}", flush=True)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="token ids as attn_train caches them (safetensors)")
    parser.add_argument("--seeds", type=int, default=3, help="number of trainings, with the seeds 1, 2, ...")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--vocabulary", type=int, default=10000)
    parser.add_argument("--length", type=int, default=200, help="ids per review")
    parser.add_argument("--embedding", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=64, help="LSTM size per direction")
    parser.add_argument("--mask", action="store_true", help="pad at the end and skip the padding")
    parser.add_argument(
        "--dense-adam",
        action="store_true",
        help="square the embedding's gradient per word, as Keras does on PyTorch, not per occurrence, as on TensorFlow",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

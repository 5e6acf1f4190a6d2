# SPDX-License-Identifier: Apache-2.0
"""Trains the article's classifier in Keras for a few steps and records everything that another implementation needs to
repeat them: the initial weights (named as in attn_cuda.convert) and

    batches.ids      int32    [N, B, T]
    batches.labels   float32  [N, B]
    batches.lengths  int32    [N, B]     with --mask
    losses           float32  [N]        mean loss of each batch before its update

in one safetensors file. Without --data the reviews are random, with labels that can be learnt.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import safetensors.numpy

import keras_classifier
import reviews
from attn_cuda import convert
from attn_cuda._files import write_whole


def main() -> None:
    options = parse_options()
    generator = np.random.default_rng(options.seed)
    keras.utils.set_random_seed(options.seed)

    corpus = (
        reviews.load(options.data, "train")
        if options.data
        else reviews.random(generator, options.steps * options.batch, options.vocabulary, options.length)
    )
    if len(corpus) < options.steps * options.batch:
        raise SystemExit(f"--data: expected at least {options.steps * options.batch} reviews, got {len(corpus)}")
    order = generator.permutation(len(corpus))[: options.steps * options.batch].reshape(options.steps, options.batch)
    batches = [reviews.batch(corpus, which, options.length, options.mask) for which in order]
    ids, lengths = map(np.stack, zip(*batches, strict=True))
    labels = corpus.labels[order].astype(np.float32)

    adam = keras.optimizers.Adam if options.stock_adam else keras_classifier.DenseAdam
    model = keras_classifier.build(
        options.vocabulary, options.length, options.embedding, options.hidden, options.mask, adam
    )
    weights = [array + generator.normal(0, options.noise, array.shape) for array in model.get_weights()]
    model.set_weights(weights)
    tensors = convert.from_keras(model.get_weights())
    losses = [model.train_on_batch(ids[step], labels[step], return_dict=True)["loss"] for step in range(options.steps)]

    tensors |= {"batches.ids": ids, "batches.labels": labels, "losses": np.array(losses, np.float32)}
    if options.mask:
        tensors["batches.lengths"] = lengths
    write_whole(options.output, safetensors.numpy.save(tensors, metadata=describe(options)))
    print(f"{options.output}: {options.steps} steps, loss {losses[0]:.6f} to {losses[-1]:.6f}")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the safetensors file to write")
    parser.add_argument("--data", type=Path, help="token ids as attn_train caches them")
    parser.add_argument("--vocabulary", type=int, default=10000)
    parser.add_argument("--length", type=int, default=200, help="ids per review")
    parser.add_argument("--embedding", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=64, help="LSTM size per direction")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mask", action="store_true", help="pad at the end and skip the padding")
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="standard deviation of noise added to the initial weights, so that a small model shows every mistake",
    )
    parser.add_argument(
        "--stock-adam",
        action="store_true",
        help="use Keras's Adam as it is, which on TensorFlow squares the embedding's gradient per occurrence",
    )
    return parser.parse_args()


def describe(options: argparse.Namespace) -> dict[str, str]:
    settings = {name: str(value) for name, value in vars(options).items() if name not in ("output", "data")}
    return settings | {"keras": keras.version(), "backend": keras.backend.backend()}


if __name__ == "__main__":
    main()

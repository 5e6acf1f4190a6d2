# SPDX-License-Identifier: Apache-2.0
"""The article's text classifier in Keras: embedding, bidirectional LSTM, attention pooling, dense."""

from __future__ import annotations

import keras
from keras import ops


class AttentionPooling(keras.layers.Layer):
    """Attention pooling, e = tanh(x . w + b), softmax over T, weighted sum: x [B, T, D], w [D, 1], b [T, 1]."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def build(self, shape: tuple) -> None:
        _, T, D = shape
        self.w = self.add_weight(name="w", shape=(D, 1), initializer=keras.initializers.RandomNormal(stddev=0.05))
        self.b = self.add_weight(name="b", shape=(T, 1), initializer="zeros")

    def call(self, x, mask=None):
        e = ops.squeeze(ops.tanh(ops.matmul(x, self.w) + self.b), -1)
        if mask is not None:
            e = ops.where(mask, e, -1e9)  # e is in -1..1, so the weight of a masked position underflows to exactly zero
        alpha = ops.softmax(e, axis=-1)
        return ops.sum(ops.expand_dims(alpha, -1) * x, axis=1)

    def compute_mask(self, inputs, previous_mask):
        return None  # the result has no positions to mask


class DenseAdam(keras.optimizers.Adam):
    """Adam on the dense gradient of a variable, as in the paper and in Keras's other backends.

    On TensorFlow the embedding's gradient is a list of rows, one per occurrence of an id, and Keras squares the rows
    before it adds them: for an id that occurs twice, the second moment gets the sum of the squares instead of the
    square of the sum.
    """

    def update_step(self, gradient, variable, learning_rate):
        dense = ops.add(gradient, ops.zeros_like(variable))  # adding a dense tensor sums the rows of each id
        super().update_step(dense, variable, learning_rate)


def build(
    vocabulary: int, length: int, embedding: int, hidden: int, mask: bool, adam: type = keras.optimizers.Adam
) -> keras.Model:
    """Returns the compiled model. `mask`: reviews are padded at the end with id 0, which is skipped."""
    model = keras.Sequential(
        [
            keras.Input((length,), dtype="int32"),
            keras.layers.Embedding(
                vocabulary,
                embedding,
                mask_zero=mask,
                embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05),
            ),
            keras.layers.Bidirectional(keras.layers.LSTM(hidden, return_sequences=True)),
            AttentionPooling(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model

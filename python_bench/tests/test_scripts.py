# SPDX-License-Identifier: Apache-2.0
"""The scripts: batches are cut and padded as the classifier takes them, and each script does what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import peers
import reviews

SCRIPTS = Path(__file__).resolve().parents[1]
SIZES = ("--vocabulary", "20", "--length", "5", "--embedding", "3", "--hidden", "2")

needs_keras = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="keras is not installed")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A file of token ids as attn_train exports it: reviews of 1 to 9 ids, each with the start id 1 in front."""
    tensors = {}
    for part, count in (("train", 45), ("test", 9)):
        texts = [np.array([1, *range(3, 3 + i % 9)], np.int32) for i in range(count)]
        tensors[f"{part}.ids"] = np.concatenate(texts)
        tensors[f"{part}.offsets"] = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        tensors[f"{part}.labels"] = np.arange(count, dtype=np.int32) % 2
    path = tmp_path / "ids.safetensors"
    safetensors.numpy.save_file(tensors, path)
    return path


def test_batches_are_cut_in_front_and_padded(corpus: Path) -> None:
    loaded = reviews.load(corpus, "train")
    ids, lengths = reviews.batch(loaded, np.array([2, 7]), 5, mask=False)
    assert ids.tolist() == [[0, 0, 1, 3, 4], [5, 6, 7, 8, 9]]
    assert lengths.tolist() == [3, 5]
    ids, _ = reviews.batch(loaded, np.array([2, 7]), 5, mask=True)
    assert ids.tolist() == [[1, 3, 4, 0, 0], [5, 6, 7, 8, 9]]


def test_random_reviews_tell_their_labels() -> None:
    drawn = reviews.random(np.random.default_rng(1), 50, vocabulary=20, length=8)
    assert set(drawn.labels) == {0, 1}
    for start, end, label in zip(drawn.offsets, drawn.offsets[1:], drawn.labels, strict=False):
        words = drawn.ids[start + 1 : end]
        assert drawn.ids[start] == 1 and words.min() >= 3 and words.max() < 20
        assert label == (np.mean(words >= 12) > 0.5)


@needs_keras
@pytest.mark.parametrize("mask", [False, True])
def test_export(run_python, corpus: Path, tmp_path: Path, mask: bool) -> None:
    output = tmp_path / "run.safetensors"
    options = ["--data", str(corpus), "--batch", "4", "--steps", "3", *SIZES, *(["--mask"] if mask else [])]
    result = run_python(str(SCRIPTS / "export_keras.py"), str(output), *options)
    assert result.returncode == 0, result.stderr
    tensors = safetensors.numpy.load_file(output)
    shapes = {name: (array.shape, array.dtype.name) for name, array in tensors.items()}
    expected = {
        "embedding": ((20, 3), "float32"),
        "lstm.0.kernel": ((2, 3, 8), "float32"),
        "lstm.0.recurrent": ((2, 2, 8), "float32"),
        "lstm.0.bias": ((2, 8), "float32"),
        "attention.w": ((4,), "float32"),
        "attention.b": ((5,), "float32"),
        "dense.w": ((4,), "float32"),
        "dense.b": ((1,), "float32"),
        "batches.ids": ((3, 4, 5), "int32"),
        "batches.labels": ((3, 4), "float32"),
        "losses": ((3,), "float32"),
    }
    assert shapes == expected | ({"batches.lengths": ((3, 4), "int32")} if mask else {})
    assert np.abs(tensors["losses"] - np.log(2)).max() < 0.1  # small weights know nothing yet
    if mask:
        assert (np.count_nonzero(tensors["batches.ids"], axis=2) == tensors["batches.lengths"]).all()


@needs_keras
def test_training_prints_a_line_per_epoch(run_python, corpus: Path) -> None:
    result = run_python(str(SCRIPTS / "train_keras.py"), str(corpus), "--seeds", "2", "--epochs", "2", *SIZES)
    assert result.returncode == 0, result.stderr
    header, *lines = result.stdout.splitlines()
    assert header == "seed,epoch,train_loss,train_accuracy,test_loss,test_accuracy,seconds"
    assert [line.split(",")[:2] for line in lines] == [["1", "1"], ["1", "2"], ["2", "1"], ["2", "2"]]
    assert all(0 <= float(line.split(",")[5]) <= 1 for line in lines)


def test_comparison_takes_medians_and_the_best_of_the_others() -> None:
    figures = {
        peers.OURS: [peers.Figures(50, 10, 100), peers.Figures(60, 10, 100), peers.Figures(900, 10, 100)],
        "slow": [peers.Figures(200, 20, 400)] * 3,
        "fast": [peers.Figures(120, 40, 800)] * 3,
    }
    rows = peers.table(figures).splitlines()
    assert rows[2] == "| attn_cuda | 60.0 (50.0 to 900.0) | 10.0 (10.0 to 10.0) | 100.0 (100.0 to 100.0) |"
    assert rows[-1] == "| attn_cuda / best of the others | 0.50 | 0.50 | 0.25 |"


def test_our_figures_are_the_last_line_of_the_program() -> None:
    code = 'print("progress"); print(\'{"train_ms": 1.5, "infer_ms": 0.5, "peak_mib": 20, "more": 1}\')'
    assert peers.run_once([sys.executable, "-c", code], {}, threads=1) == peers.Figures(1.5, 0.5, 20)


def test_a_failing_program_ends_the_comparison() -> None:
    with pytest.raises(SystemExit, match="out of luck"):
        peers.run_once([sys.executable, "-c", "raise SystemExit('out of luck')"], {}, threads=1)

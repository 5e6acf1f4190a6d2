# SPDX-License-Identifier: Apache-2.0
"""The converters: round trips, and the same outputs before and after, by each framework's documented layout and, where
it is installed, by the framework itself."""

from __future__ import annotations

import os
from pathlib import Path

import formulas
import numpy as np
import pytest
import safetensors.numpy

import attn_cuda
from attn_cuda import convert

ATTENTIONS = ["pooling", "additive"]


def assert_same(got: dict, expected: dict) -> None:
    assert got.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


def assert_outputs(got, expected) -> None:
    """fp32 LSTM over a few steps against another one."""
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6)


def library_lstm(ours: dict, ids: np.ndarray) -> np.ndarray:
    return attn_cuda.lstm_forward(
        ours["embedding"][ids], ours["lstm.0.kernel"], ours["lstm.0.recurrent"], ours["lstm.0.bias"]
    )


def library_probabilities(ours: dict, ids: np.ndarray) -> np.ndarray:
    """The classifier's answer [B], with pooling or additive attention."""
    y = library_lstm(ours, ids)
    if "attention.w" in ours:
        o = attn_cuda.pooling_forward(y, ours["attention.w"], ours["attention.b"]).o
    else:
        query, *projections = (ours[f"attention.{name}"] for name in ("h", "w_q", "w_k", "v"))
        o = attn_cuda.projected_forward(y, query, *projections).o[:, 0]
    return formulas.sigmoid(o @ ours["dense.w"] + ours["dense.b"])


@pytest.fixture
def ids() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 11, (4, 7), dtype=np.int32)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_round_trips(weights, attention: str) -> None:
    ours = weights(attention)
    assert_same(convert.from_keras(convert.to_keras(ours)), ours)
    assert_same(convert.from_torch(convert.to_torch(ours)), ours)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_what_is_no_weight_is_left_out(weights, attention: str) -> None:
    ours = weights(attention)
    moments = {f"adam.m.{name}": array for name, array in ours.items()}
    assert_same(convert.to_torch(ours | moments), convert.to_torch(ours))


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_checkpoints_of_earlier_versions_are_read(weights, attention: str) -> None:
    ours = weights(attention)
    earlier = {name.replace("lstm.0.", "lstm."): array for name, array in ours.items()}
    assert earlier.keys() != ours.keys()
    assert_same(convert.to_torch(earlier), convert.to_torch(ours))
    assert_same(convert.from_keras(convert.to_keras(earlier)), ours)


def test_keras_layout_of_the_lstm(weights, draw, ids) -> None:
    embedding, *lstm = map(np.float64, convert.to_keras(weights("pooling")))
    forward = formulas.lstm_keras(embedding[ids], *lstm[0:3])
    backward = formulas.lstm_keras(embedding[ids], *lstm[3:6], backward=True)
    ours = convert.from_keras([embedding, *lstm])
    assert_outputs(library_lstm(ours, ids), np.concatenate([forward, backward], -1))


def test_torch_layout_of_the_lstm(weights, draw, ids) -> None:
    state = convert.to_torch(weights("pooling"))
    state["lstm.bias_hh_l0"], state["lstm.bias_hh_l0_reverse"] = draw(12), draw(12)
    x = np.float64(state["embedding.weight"])[ids]
    parts = [
        [np.float64(state[f"lstm.{part}_l0{end}"]) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        for end in ("", "_reverse")
    ]
    forward, backward = formulas.lstm_torch(x, *parts[0]), formulas.lstm_torch(x, *parts[1], backward=True)
    assert_outputs(library_lstm(convert.from_torch(state), ids), np.concatenate([forward, backward], -1))


def test_real_keras_model(weights, ids) -> None:
    pytest.importorskip("keras", reason="keras is not installed", exc_type=ImportError)
    import keras_classifier

    ours = weights("pooling")
    model = keras_classifier.build(vocabulary=11, length=7, embedding=5, hidden=3, mask=False)
    model.set_weights(convert.to_keras(ours))
    assert_outputs(model.predict(ids, verbose=0)[:, 0], library_probabilities(ours, ids))
    assert_same(convert.from_keras(model.get_weights()), ours)


def test_real_torch_model(weights, ids) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)
    import torch_classifier

    torch.manual_seed(1)
    model = torch_classifier.Classifier(vocabulary=11, length=7, embedding=5, hidden=3)
    ours = convert.from_torch({name: tensor.numpy() for name, tensor in model.state_dict().items()})
    with torch.no_grad():
        expected = torch.sigmoid(model(torch.from_numpy(ids))).numpy()
    assert_outputs(library_probabilities(ours, ids), expected)

    other = weights("pooling")
    model.load_state_dict({name: torch.from_numpy(array) for name, array in convert.to_torch(other).items()})
    with torch.no_grad():
        assert_outputs(library_probabilities(other, ids), torch.sigmoid(model(torch.from_numpy(ids))).numpy())


def test_keras_additive_layers(weights, ids) -> None:
    keras = pytest.importorskip("keras", reason="keras is not installed", exc_type=ImportError)
    ours = weights("additive")
    _, *_, w_q, w_k, v, h, dense, bias = convert.to_keras(ours)
    y = library_lstm(ours, ids)
    query, key = keras.layers.Dense(4, use_bias=False), keras.layers.Dense(4, use_bias=False)
    attention = keras.layers.AdditiveAttention()
    queries = np.repeat(h[None], len(ids), axis=0)
    attention([query(queries), y, key(y)])
    for layer, arrays in ((query, [w_q]), (key, [w_k]), (attention, [v])):
        layer.set_weights(arrays)
    o = keras.ops.convert_to_numpy(attention([query(queries), y, key(y)]))[:, 0]
    assert_outputs(library_probabilities(ours, ids), formulas.sigmoid(o @ dense + bias)[:, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:-1], "weights: expected 11 arrays"),
        (lambda w: [*w[:1], w[1].T, *w[2:]], "lstm.0.kernel: expected one shape in both directions"),
        (lambda w: [w[0], *w[4:7], *w[1:4], *w[7:9], w[9].T, w[10]], "dense.w: expected one column"),
        (lambda w: [w[0][:, :4], *w[1:]], "embedding: expected float32 array [V = 11, E = 5], got"),
    ],
)
def test_misshapen_keras_weights_are_refused(weights, change, message: str) -> None:
    with pytest.raises(attn_cuda.AttnError) as caught:
        convert.from_keras(change(convert.to_keras(weights("pooling"))))
    assert message in str(caught.value)


def test_foreign_torch_parameters_are_refused(weights) -> None:
    state = convert.to_torch(weights("pooling"))
    with pytest.raises(attn_cuda.AttnError, match="weight_ih_l1"):
        convert.from_torch(state | {"lstm.weight_ih_l1": state["lstm.weight_hh_l0"]})
    del state["dense.bias"]
    with pytest.raises(attn_cuda.AttnError, match=r"difference in \['dense.bias'\]"):
        convert.from_torch(state)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_command_line(weights, run_python, tmp_path: Path, framework: str) -> None:
    ours = weights("additive")
    first, between, last = tmp_path / "ours", tmp_path / "theirs", tmp_path / "back"
    first.write_bytes(safetensors.numpy.save(ours))
    for direction, source, destination in (("to", first, between), ("from", between, last)):
        result = run_python("-m", "attn_cuda.convert", f"{direction}-{framework}", str(source), str(destination))
        assert result.returncode == 0, result.stderr
    assert_same(safetensors.numpy.load_file(last), ours)
    assert {path.name for path in tmp_path.iterdir()} == {"ours", "theirs", "back"}


def test_command_line_names_a_bad_file(run_python, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"nothing of the kind")
    result = run_python("-m", "attn_cuda.convert", "to-torch", str(tmp_path / "a.safetensors"), str(tmp_path / "b"))
    assert result.returncode == 1
    assert str(tmp_path / "a.safetensors") in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "b").exists()


def test_command_line_replaces_nothing_but_files(weights, run_python, tmp_path: Path) -> None:
    source, pipe = tmp_path / "ours", tmp_path / "pipe"
    source.write_bytes(safetensors.numpy.save(weights("pooling")))
    os.mkfifo(pipe)
    for destination, kind in ((pipe, "device, pipe or socket"), (tmp_path, "folder"), ("/dev/null", "device")):
        result = run_python("-m", "attn_cuda.convert", "to-torch", str(source), str(destination))
        assert result.returncode == 1
        assert f"{destination}: expected a file or a new name, got a {kind}" in result.stderr
    assert pipe.is_fifo()
    result = run_python("-m", "attn_cuda.convert", "to-torch", str(source), str(tmp_path / "missing" / "file"))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_command_line_follows_a_link_to_a_file_that_is_to_be_made(weights, run_python, tmp_path: Path) -> None:
    source, link = tmp_path / "ours", tmp_path / "link"
    source.write_bytes(safetensors.numpy.save(weights("pooling")))
    link.symlink_to("made")
    result = run_python("-m", "attn_cuda.convert", "to-torch", str(source), str(link))
    assert result.returncode == 0, result.stderr
    assert link.is_symlink()
    assert (tmp_path / "made").is_file()

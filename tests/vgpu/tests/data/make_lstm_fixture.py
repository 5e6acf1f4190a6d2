# SPDX-License-Identifier: Apache-2.0
"""Makes lstm_torch.txt: LSTMs and their gradients as PyTorch computes them on the CPU in float64.

    python3 make_lstm_fixture.py > lstm_torch.txt

A case is a line "case" with its settings, then one tensor a line: its name, then its elements. Inputs are multiples of
1/64 below 1, numbers that fp16 and bf16 have too. Sequences are padded with zeros, time first.
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

# Each case: layers, directions, E, H, biases, sequence lengths, and whether initial states are given.
CASES = [
    (1, 1, 3, 5, "none", [4, 4, 4], True),
    (1, 2, 5, 3, "double", [5, 3, 1, 4], True),
    (2, 2, 4, 3, "input", [4, 2, 3], False),
    (3, 1, 2, 4, "recurrent", [3, 3, 2], True),
    (3, 2, 3, 2, "double", [1, 3, 2], True),
    (1, 2, 2, 6, "double", [2], False),
]


def numbers(*shape):
    return torch.randint(-63, 64, shape).double() / 64


def show(name, tensor):
    print(name, *tensor.flatten().tolist())  # repr has enough digits to restore the same number


def parameters_of(lstm, biases):
    for name, parameter in lstm.named_parameters():
        unused = name.startswith({"input": "bias_hh", "recurrent": "bias_ih"}.get(biases, "nothing"))
        parameter.data = torch.zeros_like(parameter) if unused else numbers(*parameter.shape)
        if not unused:
            yield name, parameter


def run(layers, directions, E, H, biases, lengths, has_states):
    T, B = max(lengths), len(lengths)
    lstm = torch.nn.LSTM(E, H, layers, bias=biases != "none", bidirectional=directions == 2).double()
    parameters = list(parameters_of(lstm, biases))
    valid = (torch.arange(T)[:, None] < torch.tensor(lengths)[None, :])[:, :, None]  # [T, B, 1]
    inputs = {"x": numbers(T, B, E) * valid}
    for name in ("hx", "cx"):
        inputs[name] = numbers(layers * directions, B, H) * float(has_states)
    for tensor in inputs.values():
        tensor.requires_grad_()
    packed = pack_padded_sequence(inputs["x"], lengths, enforce_sorted=False)
    packed, (hy, cy) = lstm(packed, (inputs["hx"], inputs["cx"]))
    outputs = {"y": pad_packed_sequence(packed, total_length=T)[0], "hy": hy, "cy": cy}
    gradients = {name: numbers(*tensor.shape) for name, tensor in outputs.items()}
    gradients["y"] = gradients["y"] * valid
    sum((tensor * gradients[name]).sum() for name, tensor in outputs.items()).backward()
    print("case", layers, directions, E, H, biases, int(has_states), *lengths)
    for name, tensor in {**inputs, **dict(parameters), **outputs}.items():
        show(name, tensor)
    for name, tensor in gradients.items():
        show("d" + name, tensor)
    for name, tensor in {**inputs, **dict(parameters)}.items():
        show("d" + name, tensor.grad)


torch.manual_seed(1997)
for case in CASES:
    run(*case)

# SPDX-License-Identifier: Apache-2.0
"""Runs the attn_train program in a temporary folder. The tests that use this get its path as their first argument."""

import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())

SMALL = [
    "--embedding", "8", "--hidden", "8", "--length", "60", "--vocabulary", "800", "--batch", "4",
    "--generated-train", "600", "--generated-test", "120", "--epochs", "2", "--threads", "2", "--no-cache",
]  # fmt: skip
LONG = [*SMALL, "--generated-train", "4000"]  # long enough that even a slow test stops it in the first epoch


def read_tensors(path):
    """Returns the metadata of a safetensors file, and the bytes of its tensors by name."""
    raw = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    metadata = header.pop("__metadata__")
    body = raw[8 + size :]
    return metadata, {name: body[slice(*entry["data_offsets"])] for name, entry in header.items()}


def rename_tensors(path, new_name):
    """Renames the tensors of a safetensors file to new_name(name), and drops the checksum, which covers the names."""
    path = pathlib.Path(path)
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + size])
    metadata = header.pop("__metadata__")
    for key in ("checksum", "checksum_kind"):
        metadata.pop(key)
    text = json.dumps({"__metadata__": metadata} | {new_name(name): entry for name, entry in header.items()}).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + raw[8 + size :])


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="attn train ")  # the space tests that paths are quoted
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ATTN_")}
        return {**kept, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def run_program(self, *arguments, status=0, text=None, environment=None, timeout=300):
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=environment or self.environment(),
            input=text,
            text=True,
            capture_output=True,
            timeout=timeout,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def start(self, *arguments):
        return subprocess.Popen(
            [PROGRAM, *arguments], cwd=self.folder, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def assert_a_bad_loss_ends_a_run_unsaved(self, *options):
        """If a step is so large that the next loss is NaN, the saved file keeps the state from before that loss."""
        huge = ["--learning-rate", "1e38", "--save-every", "1", "--output", "huge"]
        output = self.run_program("train", *options, *huge, status=1)
        self.assertIn("learning rate: expected one that keeps the loss finite, got 1e+38", output)
        self.assertIn("in step 2 of epoch 1", output)
        metadata, tensors = read_tensors(self.folder / "huge" / "model.safetensors")
        self.assertEqual(json.loads(metadata["state"])["step"], 1)
        for name, data in tensors.items():
            self.assertFalse(any(math.isnan(value) for (value,) in struct.iter_unpack("<f", data)), name)

    def wait_until(self, condition, process):
        """Waits until the running process has made `condition` true."""
        deadline = time.monotonic() + 120
        while not condition():
            self.assertIsNone(process.poll(), "the run ended before it could be stopped")
            self.assertLess(time.monotonic(), deadline, "no state was saved")
            time.sleep(0.002)

    def wait_for_step(self, path, step, process):
        """Waits until a saved state has reached this step of the first epoch."""
        self.wait_until(lambda: path.exists() and json.loads(read_tensors(path)[0]["state"])["step"] >= step, process)


class CpuProgramTest(ProgramTest):
    """Runs on the CPU even if there is a GPU."""

    def environment(self):
        return {**super().environment(), "CUDA_VISIBLE_DEVICES": ""}

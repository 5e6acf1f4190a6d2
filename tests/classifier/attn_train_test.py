# SPDX-License-Identifier: Apache-2.0
"""Runs attn_train as a user would: train, interrupt, kill, resume, evaluate, predict, explain, and bad input.

Run by ctest: attn_train_test.py PROGRAM. Needs nothing but the standard library.
"""

import csv
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from attn_train_program import PROGRAM, ProgramTest, read_tensors, rename_tensors

SMALL = [
    "--embedding", "8", "--hidden", "8", "--length", "60", "--vocabulary", "800", "--batch", "4",
    "--generated-train", "600", "--generated-test", "120", "--epochs", "2", "--threads", "2", "--no-cache",
]  # fmt: skip
LONG = [*SMALL, "--generated-train", "4000"]  # long enough that even a slow test stops it in the first epoch


def without_times(state):
    """Returns the state of a run without the times, which differ between equal runs."""
    state = json.loads(state)
    state.pop("seconds")
    for row in state["history"]:
        row.pop("seconds")
    return state


class Program(ProgramTest):
    def environment(self):
        return {**super().environment(), "CUDA_VISIBLE_DEVICES": ""}  # runs on the CPU even if there is a GPU

    def assert_same_run(self, first, second):
        metadata, tensors = read_tensors(self.folder / first / "model.safetensors")
        other_metadata, other_tensors = read_tensors(self.folder / second / "model.safetensors")
        self.assertEqual(sorted(tensors), sorted(other_tensors))
        for name, data in tensors.items():
            self.assertEqual(data, other_tensors[name], name)
        self.assertIn("adam.m.embedding", tensors)
        self.assertEqual(without_times(metadata["state"]), without_times(other_metadata["state"]))
        for key in set(metadata) - {"state", "checksum"}:
            self.assertEqual(metadata[key], other_metadata[key], key)

        def rows(name):
            with open(self.folder / name / "history.csv", newline="") as file:
                return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]

        self.assertEqual(rows(first), rows(second))
        self.assertEqual(len(rows(first)), 2)

    def test_an_interrupted_run_continues_bit_for_bit(self):
        self.run_program("train", *LONG, "--output", "whole")
        process = self.start("train", *LONG, "--output", "stopped", "--save-every", "20")
        self.wait_for_step(self.folder / "stopped" / "model.safetensors", 20, process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        self.assertIn("--resume stopped/model.safetensors", output)
        state = json.loads(read_tensors(self.folder / "stopped" / "model.safetensors")[0]["state"])
        self.assertEqual(state["epoch"], 0)
        self.assertTrue(20 <= state["step"] < 1000, "stopped in the middle of an epoch")
        self.run_program("train", "--resume", "stopped/model.safetensors", "--threads", "2", "--no-cache")
        self.assert_same_run("whole", "stopped")

    def test_a_killed_run_continues_bit_for_bit(self):
        self.run_program("train", *LONG, "--output", "whole")
        process = self.start("train", *LONG, "--output", "killed", "--save-every", "7")
        self.wait_for_step(self.folder / "killed" / "model.safetensors", 14, process)
        process.kill()
        process.communicate(timeout=60)
        self.run_program("train", "--resume", "killed/model.safetensors", "--threads", "2", "--no-cache")
        self.assert_same_run("whole", "killed")

    def test_a_run_interrupted_again_and_again_continues_bit_for_bit(self):
        """Uses the article's model, because a signal handler once corrupted the heap during its matrix products."""
        interruptions = int(os.environ.get("ATTN_TEST_INTERRUPTIONS", "6"))
        sizes = ["--generated-train", str(200 * interruptions), "--generated-test", "32", "--epochs", "2", "--threads", "2", "--no-cache"]
        self.run_program("train", *sizes, "--output", "whole", timeout=3000)
        file = self.folder / "stopped" / "model.safetensors"
        moments = random.Random(1)
        arguments = [*sizes, "--output", "stopped"]
        for interruption in range(interruptions):
            saved = file.stat().st_mtime_ns if interruption > 0 else 0
            process = self.start("train", *arguments, "--save-every", "2")
            self.wait_until(lambda saved=saved: file.exists() and file.stat().st_mtime_ns > saved, process)
            time.sleep(moments.uniform(0, 0.15))
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, f"interruption {interruption}: {output}")
            arguments = ["--resume", "stopped/model.safetensors", "--threads", "2", "--no-cache"]
        self.run_program("train", *arguments, timeout=3000)
        self.assert_same_run("whole", "stopped")

    def test_a_checkpoint_of_an_earlier_version_continues_bit_for_bit(self):
        """Earlier versions named the tensors of the LSTM lstm.kernel and so on."""
        for attention in ("pooling", "additive"):
            with self.subTest(attention=attention):
                options = [*SMALL, "--attention", attention, "--epochs", "1"]
                earlier = f"earlier {attention}"
                self.run_program("train", *options, "--output", attention)
                shutil.copytree(self.folder / attention, self.folder / earlier)
                for name in ("model", "best"):
                    rename_tensors(self.folder / earlier / f"{name}.safetensors", lambda name: name.replace("lstm.0.", "lstm."))
                _, tensors = read_tensors(self.folder / earlier / "model.safetensors")
                self.assertLessEqual({"lstm.kernel", "adam.m.lstm.recurrent", "adam.s.lstm.bias"}, set(tensors))
                self.run_program("train", *options, "--init", f"{earlier}/best.safetensors", "--output", "from weights")
                for folder in (attention, earlier):
                    resume = ["--resume", f"{folder}/model.safetensors", "--epochs", "2"]
                    self.run_program("train", *resume, "--threads", "2", "--no-cache")
                self.assert_same_run(attention, earlier)

    def test_resuming_elsewhere_warns(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        output = self.run_program("train", "--resume", "attn_run/model.safetensors", "--threads", "1", "--epochs", "2", "--no-cache")
        self.assertIn("warning: threads: 2 then, 1 now", output)
        self.assertIn("not bit for bit", output)

    def test_train_then_eval_predict_explain(self):
        output = self.run_program("train", *SMALL, "--mask", "--history", "h.json")
        self.assertIn("reviews are generated", output)
        self.assertIn("Attention on the words that decide", output)
        history = json.loads((self.folder / "h.json").read_text())
        self.assertEqual([row["epoch"] for row in history], [1, 2])
        for line in ("Test loss: ", "Test accuracy: "):
            self.assertIn(line, output)
        evaluated = self.run_program("eval")
        accuracy = [line for line in output.splitlines() if line.startswith("Test accuracy")]
        self.assertIn(accuracy[0], evaluated)

        def verdicts(output):  # the output includes standard error, which names the device
            return [line for line in output.splitlines() if "\t" in line]

        lines = verdicts(self.run_program("predict", "i thought it was wonderful", "i thought it was awful"))
        self.assertEqual(len(lines), 2)
        label, probability, text = lines[0].split("\t")
        self.assertIn(label, ("neg", "pos"))
        self.assertTrue(0.5 <= float(probability) <= 1)
        self.assertEqual(text, "i thought it was wonderful")
        piped = self.run_program("predict", text="i thought it was wonderful\n\ni thought it was awful\n")
        self.assertEqual(verdicts(piped), lines)

        output = self.run_program("explain", "--count", "3", "--color", "never")
        self.assertIn("attn_run/attention.html", output)
        self.assertTrue((self.folder / "attn_run" / "attention.png").read_bytes().startswith(b"\x89PNG\r\n"))
        page = (self.folder / "attn_run" / "attention.html").read_text()
        self.assertTrue(page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>"))

    def test_a_terminal_shows_a_bar_and_a_log_plain_lines(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "train", *SMALL, "--epochs", "1"], cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            drawn += piece
            if not piece:
                break
        os.close(ours)
        lines = process.communicate(timeout=60)[0].decode()
        self.assertEqual(process.returncode, 0, lines)
        drawn = drawn.decode()
        for part in ("\r", "Epoch 1/1", "░", "reviews/s", "left"):
            self.assertIn(part, drawn)
        self.assertNotIn("\r", lines)
        self.assertNotIn("░", lines)
        self.assertIn("Epoch 1/1  600/600  loss ", lines)

    def test_additive_attention_trains(self):
        output = self.run_program("train", *SMALL, "--attention", "additive", "--attention-width", "12", "--query-width", "6")
        self.assertIn("Test accuracy: ", output)

    def test_a_loss_that_is_not_finite_ends_a_run_unsaved(self):
        self.assert_a_bad_loss_ends_a_run_unsaved(*SMALL)

    def test_init_starts_from_given_weights(self):
        self.run_program("train", *SMALL, "--epochs", "1", "--output", "first")
        output = self.run_program("train", *SMALL, "--epochs", "1", "--init", "first/model.safetensors", "--output", "second")
        self.assertIn("Test accuracy: ", output)
        output = self.run_program("train", *SMALL, "--hidden", "9", "--init", "first/model.safetensors", status=1)
        self.assertIn("first/model.safetensors: tensor ", output)
        self.assertIn("expected shape", output)

    def test_a_table_of_texts_trains(self):
        rows = ["label,text"]
        for i in range(60):
            rows.append(f'{"good" if i % 2 else "bad"},"a ""{"fine" if i % 2 else "poor"}"" film, number {i}"')
        (self.folder / "reviews.csv").write_text("\n".join(rows) + "\n")
        output = self.run_program("train", *SMALL, "--data", "reviews.csv")
        self.assertIn("48 training and 12 test reviews (bad, good)", output)

    def test_bad_input_is_refused_with_a_reason(self):
        (self.folder / "empty.tsv").write_text("")
        (self.folder / "three.tsv").write_text("a\tone\nb\ttwo\nc\tthree\n")
        (self.folder / "latin.tsv").write_bytes(b"a\tone\nb\tcaf\xe9\n")
        (self.folder / "text.safetensors").write_text("not a model, but long enough to have a header length in front\n")
        for arguments, parts in [
            (("train", "--data", "missing"), ("missing",)),
            (("train", "--data", "empty.tsv"), ("empty.tsv", "empty")),
            (("train", "--data", "three.tsv"), ("three.tsv", "two labels")),
            (("train", "--data", "latin.tsv"), ("latin.tsv:2", "UTF-8")),
            (("train", "--hidden", "0"), ("hidden", "1 to 65536", "got 0")),
            (("train", "--device", "cuda"), ("--device", "cuda")),
            (("train", "--resume", "missing.safetensors"), ("missing.safetensors",)),
            (("eval", "--model", "text.safetensors"), ("text.safetensors",)),
            (("predict", "--model", "missing.safetensors", "a"), ("missing.safetensors",)),
        ]:
            with self.subTest(arguments=arguments):
                output = self.run_program(*arguments, status=1)
                self.assertTrue(output.splitlines()[-1].startswith("attn_train: "), output)
                for part in parts:
                    self.assertIn(part, output)

    def test_options_that_a_resumed_run_takes_from_its_file_are_refused(self):
        done = subprocess.run([PROGRAM, "train", "--resume", "x", "--batch", "8"], cwd=self.folder, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--resume excludes --batch", done.stdout + done.stderr)

    def test_help_names_every_subcommand(self):
        output = self.run_program("--help")
        for command in ("train", "eval", "predict", "explain"):
            self.assertIn(command, output)
            self.assertIn("--model" if command != "train" else "--data", self.run_program(command, "--help"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

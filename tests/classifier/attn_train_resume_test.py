# SPDX-License-Identifier: Apache-2.0
"""Interrupts and kills attn_train in every way, and resumes its runs.

Run by ctest with the path of the program. Needs nothing but the standard library.
"""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from attn_train_program import LONG, PROGRAM, SMALL, CpuProgramTest, read_tensors, rename_tensors


def without_times(state):
    """Returns the state of a run without the times, which differ between equal runs."""
    state = json.loads(state)
    state.pop("seconds")
    for row in state["history"]:
        row.pop("seconds")
    return state


class Resume(CpuProgramTest):
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

    def test_every_way_to_stop_a_run_saves_it(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                name = f"stopped by {number}"
                process = self.start("train", *LONG, "--output", name, "--save-every", "5")
                self.wait_for_step(self.folder / name / "model.safetensors", 5, process)
                process.send_signal(number)
                output, _ = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 128 + number, output)
                self.assertIn(f"--resume {name}/model.safetensors", output)

    def test_a_reader_that_leaves_stops_a_run_which_saves(self):
        process = subprocess.Popen(
            [PROGRAM, "train", *LONG, "--epochs", "30", "--generated-train", "200"],
            cwd=self.folder, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        while "parameters" not in process.stdout.readline():  # the last line before the training
            pass
        process.stdout.close()
        notes = process.stderr.read()
        self.assertEqual(process.wait(timeout=60), 1, notes)
        self.assertIn("standard output: cannot be written: Broken pipe", notes)
        self.assertIn("--resume attn_run/model.safetensors", notes)
        self.run_program("train", "--resume", "attn_run/model.safetensors", "--epochs", "2", "--no-cache")

    def test_a_signal_that_the_parent_ignores_stays_ignored(self):
        process = subprocess.Popen(
            [PROGRAM, "train", *SMALL, "--epochs", "3", "--save-every", "5"], cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        )  # fmt: skip
        self.wait_for_step(self.folder / "attn_run" / "model.safetensors", 5, process)
        process.send_signal(signal.SIGHUP)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, output)
        self.assertIn("Test accuracy", output)

    def stop_again_and_again(self, number, times, sizes, save_every):
        """Stops a run with a signal so many times, resumes it each time, and compares it with a run that was not stopped."""
        self.run_program("train", *sizes, "--output", "whole", timeout=3000)
        file = self.folder / "stopped" / "model.safetensors"
        moments = random.Random(1)
        arguments = [*sizes, "--output", "stopped"]
        for stop in range(times):
            saved = file.stat().st_mtime_ns if stop > 0 else 0
            process = self.start("train", *arguments, "--save-every", str(save_every))
            self.wait_until(lambda saved=saved: file.exists() and file.stat().st_mtime_ns > saved, process)
            time.sleep(moments.uniform(0, 0.15))
            process.send_signal(number)
            output, _ = process.communicate(timeout=60)
            expected = 130 if number == signal.SIGINT else -number
            self.assertEqual(process.returncode, expected, f"stop {stop}: {output}")
            arguments = ["--resume", "stopped/model.safetensors", "--threads", "2", "--no-cache"]
        self.run_program("train", *arguments, timeout=3000)
        self.assert_same_run("whole", "stopped")
        self.assertEqual({path.name for path in file.parent.iterdir()}, {"model.safetensors", "best.safetensors", "history.csv"})

    def test_a_run_killed_again_and_again_continues_bit_for_bit(self):
        """Saves so often that many kills hit a save, whose temporary file the next save deletes."""
        kills = int(os.environ.get("ATTN_TEST_KILLS", "2"))
        self.stop_again_and_again(signal.SIGKILL, kills, [*LONG, "--generated-train", str(2000 + 600 * kills)], save_every=1)

    def test_a_run_interrupted_again_and_again_continues_bit_for_bit(self):
        """Uses the article's model, because a signal handler once corrupted the heap during its matrix products."""
        interruptions = int(os.environ.get("ATTN_TEST_INTERRUPTIONS", "6"))
        sizes = ["--generated-train", str(200 * interruptions), "--generated-test", "32", "--epochs", "2", "--threads", "2", "--no-cache"]
        self.stop_again_and_again(signal.SIGINT, interruptions, sizes, save_every=2)

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
                self.run_program("train", *options, "--init", f"{earlier}/best.safetensors", "--output", f"from {earlier}")
                for folder in (attention, earlier):
                    resume = ["--resume", f"{folder}/model.safetensors", "--epochs", "2"]
                    self.run_program("train", *resume, "--threads", "2", "--no-cache")
                self.assert_same_run(attention, earlier)

    def test_resuming_elsewhere_warns(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        output = self.run_program("train", "--resume", "attn_run/model.safetensors", "--threads", "1", "--epochs", "2", "--no-cache")
        self.assertIn("warning: threads: 2 then, 1 now", output)
        self.assertIn("not bit for bit", output)

    def test_a_run_resumed_elsewhere_names_only_files_that_exist(self):
        self.run_program("train", *SMALL, "--output", "first")
        output = self.run_program("train", "--resume", "first/model.safetensors", "--output", "second", "--threads", "2", "--no-cache")
        self.assertIn("Best test accuracy: ", output)
        self.assertNotIn("second/best.safetensors", output)
        self.assertIn("--model second/model.safetensors", output)
        self.assertTrue((self.folder / "second" / "model.safetensors").exists())

    def test_options_that_a_resumed_run_takes_from_its_file_are_refused(self):
        done = subprocess.run([PROGRAM, "train", "--resume", "x", "--batch", "8"], cwd=self.folder, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--resume excludes --batch", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

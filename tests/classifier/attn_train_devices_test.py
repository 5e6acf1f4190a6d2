# SPDX-License-Identifier: Apache-2.0
"""The attn_train program on CUDA: it behaves as on the CPU, and each device can resume a run of the other.

Run by ctest: attn_train_devices_test.py PROGRAM [FOLDER], on the GPU, or on the virtual GPU whose libraries are in FOLDER. Needs
nothing but the standard library.
"""

import csv
import json
import pathlib
import re
import signal
import sys
import unittest

from attn_train_program import ProgramTest, read_tensors

STAND_INS = str(pathlib.Path(sys.argv[2]).resolve()) if len(sys.argv) > 2 else ""
SMALL = [
    "--embedding", "8", "--hidden", "8", "--length", "20", "--vocabulary", "500", "--batch", "8", "--learning-rate", "0.01",
    "--generated-train", "120", "--generated-test", "40", "--threads", "1", "--no-cache",
]  # fmt: skip
ADDITIVE = ["--attention", "additive", "--attention-width", "12", "--query-width", "6", "--mask"]
BOUND = 1e-6  # the largest relative difference between two losses


class Devices(ProgramTest):
    def environment(self):
        kept = super().environment()
        if STAND_INS:
            kept["LD_LIBRARY_PATH"] = ":".join(filter(None, [STAND_INS, kept.get("LD_LIBRARY_PATH")]))
        return kept

    def history(self, folder):
        with open(self.folder / folder / "history.csv", newline="") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]

    def assert_losses_agree(self, first, second, epochs):
        rows, others = self.history(first), self.history(second)
        self.assertEqual(len(rows), epochs)
        self.assertEqual(len(others), epochs)
        for row, other in zip(rows, others):
            for key in ("train_loss", "test_loss"):
                self.assertLess(abs(row[key] - other[key]), BOUND * row[key], f"{key} of epoch {row['epoch']:.0f}")

    def assert_says_where(self, output, then, now):
        self.assertIn(f'warning: backend: "{then}" then, "{now}" now', output)
        self.assertIn("warning: libraries: ", output)
        self.assertIn("warning: the run continues, but not bit for bit as it would have been", output)

    def test_losses_are_those_of_the_cpu(self):
        for options in ([], ADDITIVE):
            with self.subTest(options=options):
                for device in ("cpu", "cuda"):
                    output = self.run_program(
                        "train", *SMALL, *options, "--epochs", "2", "--device", device, "--output", device, "--overwrite"
                    )
                    self.assertRegex(output, "On CPU" if device == "cpu" else r"On .*cuDNN.*cuBLAS")
                self.assert_losses_agree("cpu", "cuda", 2)

    def test_a_run_goes_on_where_the_other_device_ended_an_epoch(self):
        self.run_program("train", *SMALL, "--epochs", "2", "--device", "cpu", "--output", "whole")
        for then, now in (("cuda", "cpu"), ("cpu", "cuda")):
            with self.subTest(then=then, now=now):
                self.run_program("train", *SMALL, "--epochs", "1", "--device", then, "--output", then)
                output = self.run_program(
                    "train", "--resume", f"{then}/model.safetensors", "--epochs", "2", "--device", now, "--threads", "1", "--no-cache"
                )
                self.assert_says_where(output, then, now)
                self.assert_losses_agree("whole", then, 2)

    def test_an_interrupted_run_goes_on_on_the_cpu(self):
        # The run is long enough to be stopped in the first epoch. Its learning rate is small, as in the article, since
        # large steps would amplify the differences caused by rounding.
        more = [*SMALL, "--generated-train", "1000", "--learning-rate", "0.001", "--epochs", "2", "--device"]
        self.run_program("train", *more, "cpu", "--output", "whole")
        process = self.start("train", *more, "cuda", "--output", "stopped", "--save-every", "5")
        self.wait_for_step(self.folder / "stopped" / "model.safetensors", 5, process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, output)
        state = json.loads(read_tensors(self.folder / "stopped" / "model.safetensors")[0]["state"])
        self.assertEqual(state["epoch"], 0)
        self.assertTrue(5 <= state["step"] < 125, "stopped in the middle of an epoch")
        output = self.run_program("train", "--resume", "stopped/model.safetensors", "--device", "cpu", "--threads", "1", "--no-cache")
        self.assert_says_where(output, "cuda", "cpu")
        self.assert_losses_agree("whole", "stopped", 2)

    def test_sixteen_bits_learn_and_resume_bit_for_bit(self):
        self.run_program("train", *SMALL, "--epochs", "2", "--device", "cuda", "--output", "fp32")
        for storage, first_scale in (("bf16", 1), ("fp16", 65536)):
            with self.subTest(storage=storage):
                more = [*SMALL, "--storage", storage, "--device", "cuda"]
                self.run_program("train", *more, "--epochs", "2", "--output", storage)
                for row, other in zip(self.history(storage), self.history("fp32"), strict=True):
                    self.assertNotEqual(row["train_loss"], other["train_loss"])
                    self.assertLess(abs(row["train_loss"] - other["train_loss"]), 2**-7 * other["train_loss"])
                self.run_program("train", *more, "--epochs", "1", "--output", "part", "--overwrite")
                self.run_program("train", "--resume", "part/model.safetensors", "--epochs", "2", "--device", "cuda", "--no-cache")
                metadata, tensors = read_tensors(self.folder / "part" / "model.safetensors")
                whole, same = read_tensors(self.folder / storage / "model.safetensors")
                self.assertEqual(tensors, same)
                state = json.loads(metadata["state"])
                self.assertEqual(state["loss_scale"], json.loads(whole["state"])["loss_scale"])
                self.assertEqual(state["loss_scale"]["value"] > 1, first_scale > 1)
                self.assertEqual(json.loads(metadata["training"])["storage"], storage)
                output = self.run_program("eval", "--model", f"{storage}/model.safetensors", "--device", "cuda")
                loss = float(re.search(r"Test loss: (\S+)", output).group(1))
                self.assertLess(abs(loss - self.history(storage)[-1]["test_loss"]), 1e-4)

    def test_a_loss_that_is_not_finite_ends_a_run_unsaved(self):
        self.assert_a_bad_loss_ends_a_run_unsaved(*SMALL, "--device", "cuda")

    def test_eval_predict_and_explain_say_what_they_say_on_the_cpu(self):
        self.run_program("train", *SMALL, "--mask", "--generated-train", "600", "--epochs", "3", "--device", "cpu")

        def on_both(*arguments):
            outputs = [self.run_program(*arguments, "--threads", "1", "--device", device) for device in ("cpu", "cuda")]
            self.assertIn("On CPU", outputs[0])
            self.assertIn("cuDNN", outputs[1])
            return outputs

        losses, accuracies = zip(
            *(re.search(r"Test loss: (\S+)\nTest accuracy: (\S+)", output).groups() for output in on_both("eval"))
        )
        self.assertLess(abs(float(losses[0]) - float(losses[1])), 1.5e-4)  # the program prints four digits
        self.assertEqual(*accuracies)

        texts = ["i thought it was wonderful", "i thought it was awful", "nothing but words nobody knows"]
        verdicts = [[line.split("\t") for line in output.splitlines() if "\t" in line] for output in on_both("predict", *texts)]
        self.assertEqual(len(verdicts[0]), len(texts))
        for (label, probability, text), (other_label, other_probability, other_text) in zip(*verdicts):
            self.assertEqual((label, text), (other_label, other_text))
            self.assertLess(abs(float(probability) - float(other_probability)), 1.5e-4)

        pages = []
        for device in ("cpu", "cuda"):
            self.run_program("explain", "--count", "5", "--html", "page.html", "--threads", "1", "--device", device)
            page = (self.folder / "page.html").read_text()
            pages.append(re.findall(r'title="([\d.]+)% of the attention">([^<]+)<', page))
        self.assertGreater(len(pages[0]), 50)
        self.assertEqual([word for _, word in pages[0]], [word for _, word in pages[1]])
        for (share, word), (other_share, _) in zip(*pages):
            self.assertLess(abs(float(share) - float(other_share)), 0.015, word)

    def test_auto_takes_cuda_where_it_works(self):
        output = self.run_program("train", *SMALL, "--generated-train", "8", "--epochs", "1", "--threads", "0")
        self.assertRegex(output, r"On .*cuDNN.*cuBLAS")
        output = self.run_program("eval", "--threads", "1")
        self.assertIn("On CPU", output)  # a number of threads selects the CPU

    def test_where_cuda_does_not_work_auto_says_why_and_cuda_fails(self):
        self.run_program("train", *SMALL, "--generated-train", "8", "--epochs", "1", "--device", "cpu")
        without = {**super().environment(), "CUDA_VISIBLE_DEVICES": ""}
        output = self.run_program("eval", "--device", "auto", environment=without)
        self.assertRegex(output, r"On CPU .*; no usable GPU\n")
        output = self.run_program("eval", "--device", "cuda", environment=without, status=1)
        self.assertRegex(output, r"attn_train: --device cuda: CUDA error: cudaGetDeviceCount: .+")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

# SPDX-License-Identifier: Apache-2.0
"""Runs attn_train as a user would: train, evaluate, predict, explain, and bad input.

Run by ctest with the path of the program. Needs nothing but the standard library.
"""

import json
import subprocess
import sys
import unittest

from attn_train_program import PROGRAM, SMALL, CpuProgramTest, read_tensors


class Program(CpuProgramTest):
    def test_init_maps_rows_by_word_and_the_output_by_label(self):
        def table(name, words, labels):
            rows = [f"{labels[i % 2]}\t{words[i % 2]} common" for i in range(40)]
            (self.folder / name).write_text("\n".join(rows) + "\n")

        table("first.tsv", ("fine", "poor"), ("good", "bad"))
        table("second.tsv", ("zebra", "fine"), ("good", "bad"))
        table("third.tsv", ("fine", "poor"), ("yes", "no"))
        one = [*SMALL, "--epochs", "1", "--learning-rate", "1e-30"]  # leaves the initial values as they are
        self.run_program("train", *one, "--data", "first.tsv", "--output", "first")
        init = ["--init", "first/model.safetensors"]
        output = self.run_program("train", *one, "--data", "second.tsv", *init, "--seed", "2", "--output", "second")
        self.assertIn("Starting from first/model.safetensors: 2 of 3 words, its output", output)
        output = self.run_program("train", *one, "--data", "third.tsv", *init, "--seed", "2", "--output", "third")
        self.assertIn("3 of 3 words, a new output for other labels", output)

        def rows_of(name):
            metadata, tensors = read_tensors(self.folder / name / "model.safetensors")
            width, data = 4 * 8, tensors["embedding"]
            words = metadata["vocabulary"].split()
            return {word: data[(4 + i) * width : (5 + i) * width] for i, word in enumerate(words)}, tensors

        first, tensors = rows_of("first")
        second, second_tensors = rows_of("second")
        for word in ("common", "fine"):
            self.assertEqual(first[word], second[word], word)
        self.assertNotIn(second["zebra"], first.values())
        self.assertEqual(tensors["dense.w"], second_tensors["dense.w"])
        third, third_tensors = rows_of("third")
        self.assertEqual(first, third)
        self.assertNotEqual(tensors["dense.w"], third_tensors["dense.w"])

    def test_train_then_eval_predict_explain(self):
        output = self.run_program("train", *SMALL, "--mask", "--history", "h.json")
        self.assertIn("reviews are generated", output)
        self.assertIn("Attention on the words that decide", output)
        history = json.loads((self.folder / "h.json").read_text())
        self.assertEqual([row["epoch"] for row in history], [1, 2])
        for line in ("Test loss: ", "Test accuracy: "):
            self.assertIn(line, output)
        evaluated = self.run_program("eval", "--model", "attn_run/model.safetensors")
        accuracy = [line for line in output.splitlines() if line.startswith("Test accuracy")]
        self.assertIn(accuracy[0], evaluated)

        best = self.run_program("eval", "--model", "attn_run/best.safetensors")
        self.assertEqual(self.run_program("eval").splitlines()[-3:], best.splitlines()[-3:])

        def verdicts(output):  # the output includes standard error, which names the device
            return [line for line in output.splitlines() if "\t" in line]

        lines = verdicts(self.run_program("predict", "i thought it was wonderful", "i thought it was awful"))
        self.assertEqual(len(lines), 2)
        label, probability, text = lines[0].split("\t")
        self.assertIn(label, ("neg", "pos"))
        self.assertTrue(0.5 <= float(probability) <= 1)
        self.assertEqual(text, "i thought it was wonderful")
        piped = self.run_program("predict", text="i thought it was wonderful\n\ni thought it was awful\n")
        self.assertEqual(verdicts(piped), [lines[0], "\t\t", lines[1]])

        output = self.run_program("explain", "--count", "3", "--color", "never")
        self.assertIn("attn_run/attention.html", output)
        self.assertTrue((self.folder / "attn_run" / "attention.png").read_bytes().startswith(b"\x89PNG\r\n"))
        page = (self.folder / "attn_run" / "attention.html").read_text()
        self.assertTrue(page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>"))

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

    def test_names_and_numbers_are_refused_with_the_reason(self):
        for arguments, part in [
            (("train", "--storage", "1"), "--storage: expected one of bf16, fp16, fp32, got 1"),
            (("train", "--attention", "none"), "--attention: expected one of additive, pooling, got none"),
            (("predict", "--format", "xml", "a"), "--format: expected one of csv, jsonl, tsv, got xml"),
            (("train", "--seed", "-1"), "--seed"),
            (("train", "--generated-train", "1000000000"), "--generated-train"),
            (("train", "--threads", "100000"), "threads: expected 1 to "),
            (("train", "--epsilon", "0"), "epsilon: expected more than 0"),
            (("pred1ct", "a film"), "There is no subcommand pred1ct; did you mean predict?"),
        ]:
            with self.subTest(arguments=arguments):
                done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.environment(), capture_output=True, text=True)
                self.assertGreater(done.returncode, 0)
                self.assertIn(part, done.stderr)

    def test_options_can_be_in_a_file(self):
        (self.folder / "run.toml").write_text('[train]\nepochs = 1\noutput = "from file"\nstorage = "BF16"\n')
        self.run_program("--config", "run.toml", "train", *SMALL[: SMALL.index("--epochs")], "--threads", "2", "--no-cache")
        metadata, _ = read_tensors(self.folder / "from file" / "model.safetensors")
        training = json.loads(metadata["training"])
        self.assertEqual((training["epochs"], training["storage"]), (1, "bf16"))

    def test_messages_replace_the_control_characters_of_foreign_names(self):
        output = self.run_program("predict", "--model", "a\x1b[31m\u202eb", "text", status=1)
        self.assertIn("a\ufffd[31m\ufffdb: expected a safetensors file, got nothing", output)

    def test_help_names_every_subcommand(self):
        output = self.run_program("--help")
        for command in ("train", "eval", "predict", "explain"):
            self.assertIn(command, output)
            usage = self.run_program(command, "--help")
            self.assertIn("--model" if command != "train" else "--data", usage)
            self.assertNotIn("Excludes", usage)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

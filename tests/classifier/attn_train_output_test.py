# SPDX-License-Identifier: Apache-2.0
"""What attn_train writes: files, standard output in its formats, and places that cannot be written.

Run by ctest with the path of the program. Needs nothing but the standard library.
"""

import csv
import json
import os
import pty
import subprocess
import sys
import unittest

from attn_train_program import PROGRAM, SMALL, CpuProgramTest, read_tensors


class Output(CpuProgramTest):
    def test_results_that_cannot_be_printed_are_an_error(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        for arguments in (["--help"], ["--version"], ["train", "--help"], ["eval"], ["predict", "a film"], ["explain", "a film"]):
            for redirection in (">/dev/full", ">&-"):
                with self.subTest(arguments=arguments, redirection=redirection):
                    done = self.run_in_shell(f'"$0" "$@" {redirection}', *arguments)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn("attn_train: standard output: cannot be written: ", done.stderr)

    def test_a_closed_or_full_standard_error_does_not_end_the_program(self):
        for redirection in ("2>/dev/full", "2>&-"):
            with self.subTest(redirection=redirection):
                done = self.run_in_shell(f'"$0" "$@" {redirection}', "train", *SMALL, "--epochs", "1", "--output", redirection[-4:])
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn("Test accuracy: ", done.stdout)

    def run_in_shell(self, line, *arguments):
        return subprocess.run(
            ["sh", "-c", line, PROGRAM, *arguments], cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=300
        )

    def test_a_folder_with_a_run_is_refused_and_replaced_on_request(self):
        self.run_program("train", *SMALL, "--output", "run")
        before = {path.name: path.read_bytes() for path in (self.folder / "run").iterdir()}
        output = self.run_program("train", *SMALL, "--output", "run", status=1)
        self.assertIn("--output: expected a folder without a run", output)
        self.assertIn("got run/model.safetensors", output)
        self.run_program("train", *SMALL, "--data", "missing", "--output", "run", "--overwrite", status=1)
        self.assertEqual(before, {path.name: path.read_bytes() for path in (self.folder / "run").iterdir()})
        self.run_program("train", *SMALL, "--output", "run", "--overwrite", "--epochs", "1")
        self.assertEqual(len((self.folder / "run" / "history.csv").read_text().splitlines()), 2)

    def test_outputs_that_cannot_be_written_are_refused_before_the_training(self):
        (self.folder / "file").write_text("")
        (self.folder / "run" / "best.safetensors").mkdir(parents=True)
        for option, place, part in [
            ("--output", "file", "--output: expected a folder"),
            ("--output", "file/run", "--output: expected a folder"),
            ("--output", "run", "run/best.safetensors: expected a file or a new name, got a folder"),
            ("--history", "missing/h.csv", "missing/h.csv: cannot be written"),
            ("--history", "/dev/null", "/dev/null: expected a file or a new name, got a device"),
        ]:
            with self.subTest(option=option, place=place):
                output = self.run_program("train", *SMALL, option, place, status=1)
                self.assertIn(part, output)
                self.assertNotIn("Epoch", output)

    def test_bash_completes_subcommands_and_options(self):
        for words, expected in [("pre", "predict"), ("train --overw", "--overwrite"), ("--vers", "--version"), ("eval film", "")]:
            with self.subTest(words=words):
                line = f'eval "$("$0" completion)"; COMP_WORDS=(attn_train {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _attn_train'
                done = subprocess.run(
                    ["bash", "-c", f'{line}; echo "${{COMPREPLY[@]}}"', PROGRAM], capture_output=True, text=True, env=self.environment()
                )
                self.assertEqual(done.stdout.strip(), expected, done.stderr)

    def test_a_full_disk_is_reported_and_damages_nothing(self):
        """A limit on the size of files, in blocks of 512 bytes, has the effect of a full disk. It is set to sizes around that of a model."""
        times = int(os.environ.get("ATTN_TEST_FULL_DISKS", "8"))
        outcomes = set()
        for time in range(times):
            blocks = 8 + 400 * time // times  # with less, clang's OpenMP does not start
            with self.subTest(blocks=blocks):
                line = f'ulimit -f {blocks}; exec "$0" "$@"'
                done = self.run_in_shell(line, "train", *SMALL, "--epochs", "1", "--overwrite")
                outcomes.add(done.returncode)
                if done.returncode != 0:
                    self.assertRegex(done.stderr, "attn_run/(model|best).safetensors: cannot be written.*: File too large")
                    self.assertEqual(done.returncode, 1)
                for file in (self.folder / "attn_run").iterdir():
                    self.assertIn(file.name, ("model.safetensors", "best.safetensors", "history.csv"))
                    if file.suffix == ".safetensors":
                        self.assertIn("embedding", read_tensors(file)[1])
        self.assertEqual(outcomes, {0, 1})

    def test_predict_labels_every_line_in_each_format(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        lines = ["i thought it was wonderful", "", 'tabs\tquotes " and, commas', "escape \x1b[31m", "back\\slash"]
        (self.folder / "texts").write_text("\r\n".join(lines))

        def printed(*arguments, text=None):
            return subprocess.run(
                [PROGRAM, "predict", *arguments], cwd=self.folder, env=self.environment(), input=text, capture_output=True, text=True,
                check=True,
            ).stdout  # fmt: skip

        rows = [line.split("\t") for line in printed("--input", "texts").splitlines()]
        self.assertEqual([row[2] for row in rows], [lines[0], "", 'tabs\\tquotes " and, commas', "escape \\x1b[31m", "back\\\\slash"])
        self.assertEqual(rows[1], ["", "", ""])
        records = list(csv.reader(printed("--input", "texts", "--format", "csv").splitlines()))
        self.assertEqual(records[0], ["text", "label", "neg", "pos"])
        self.assertEqual([record[0] for record in records[1:]], lines)
        objects = [json.loads(line) for line in printed("--input", "-", "--format", "jsonl", text="\n".join(lines)).splitlines()]
        self.assertEqual([found["text"] for found in objects], lines)
        self.assertIsNone(objects[1]["label"])
        for row, record, found in zip(rows, records[1:], objects):
            if row[0]:
                self.assertEqual(row[0], record[1])
                self.assertEqual(row[0], found["label"])
                self.assertAlmostEqual(sum(found["probabilities"].values()), 1)
                self.assertAlmostEqual(float(row[1]), found["probabilities"][row[0]], places=3)
        for threshold, label in (("0", "pos"), ("1", "neg")):
            self.assertTrue(printed("--threshold", threshold, "a film").startswith(label + "\t"))

    def test_predict_answers_each_line_at_once(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        process = subprocess.Popen(
            [PROGRAM, "predict"], cwd=self.folder, env=self.environment(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for text in ("first", "second"):
            process.stdin.write(text + "\n")
            process.stdin.flush()
            self.assertTrue(process.stdout.readline().endswith(f"\t{text}\n"))
        process.stdin.close()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=60), 0)

    def test_predict_says_where_words_are_unknown(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        output = self.run_program("predict", text="i thought it was wonderful\nxyzzy plugh frobozz\n")
        self.assertIn("more than half of the words are unknown to the model in 1 of 2 texts, first in standard input:2", output)

    def test_predict_labels_the_lines_before_one_that_it_refuses(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        (self.folder / "texts").write_bytes(b"good\ncaf\xe9\nbad\n")
        output = self.run_program("predict", "--input", "texts", status=1)
        self.assertIn("\tgood\n", output)
        self.assertIn("texts:2:1: expected UTF-8", output)

    def test_explain_writes_where_it_may(self):
        self.run_program("train", *SMALL, "--epochs", "1")
        output = self.run_program("explain", "--no-files", "--input", "-", "--color", "never", text="a film\n\nanother\n")
        self.assertIn("standard input:3", output)
        self.assertNotIn("standard input:2", output)
        output = self.run_program("explain", "--no-files", "a film")
        self.assertNotIn("Written", output)
        (self.folder / "attn_run" / "attention.html").mkdir()
        output = self.run_program("explain", "a film")
        self.assertIn("note: attn_run/attention.html: expected a file or a new name, got a folder", output)
        self.assertIn("Written: attn_run/attention.png", output)
        output = self.run_program("explain", "--html", "missing/a.html", "a film", status=1)
        self.assertIn("missing/a.html: cannot be written", output)

    def test_a_terminal_shows_a_bar_and_a_log_plain_lines(self):
        screen, terminal = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "train", *SMALL, "--epochs", "1"], cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=terminal
        )
        os.close(terminal)
        drawn = b""
        while True:
            try:
                piece = os.read(screen, 4096)
            except OSError:  # the other end is closed
                break
            drawn += piece
            if not piece:
                break
        os.close(screen)
        lines = process.communicate(timeout=60)[0].decode()
        self.assertEqual(process.returncode, 0, lines)
        drawn = drawn.decode()
        for part in ("\r", "Epoch 1/1", "░", "/s", "left"):
            self.assertIn(part, drawn)
        self.assertNotIn("\r", lines)
        self.assertNotIn("░", lines)
        self.assertIn("Epoch 1/1  600/600  loss ", lines)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

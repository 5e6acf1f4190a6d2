# SPDX-License-Identifier: Apache-2.0
"""Checks the comparison of a report with limits. Needs no disassembler."""

import json
import pathlib
import unittest

from machine_code.limits import check, parse_limits, read_limits
from machine_code.loops import KERNELS


def example_row(**changes):
    row = {"arch": 90, "kernel": "forward", "arguments": "float, 4", "loop": "quads", "issue": 3.1, "special": 0.25, "spills": 0}
    return row | changes


class Limits(unittest.TestCase):
    ROWS = [example_row(), example_row(arguments="fp16, 4", issue=3.3), example_row(arch=80, loop="pairs", issue=3.2, fma=2.5)]

    def judge(self, **entry):
        return check(parse_limits(json.dumps([{"kernel": "forward", **entry}])), self.ROWS)

    def test_the_largest_value_counts(self):
        (line,), good = self.judge(arch=[90], loop="quads", most={"issue": 3.2})
        self.assertFalse(good)
        self.assertEqual(line, "FAIL sm_90 forward<*>, loop quads: issue: expected at most 3.2, got 3.3 (fp16, 4)")
        (line,), good = self.judge(arguments="float, *", arch=[90], loop="quads", most={"issue": 3.2})
        self.assertTrue(good)
        self.assertTrue(line.startswith("pass "), line)

    def test_each_architecture_and_column_has_a_line(self):
        lines, good = self.judge(arch=[80, 90], most={"issue": 3.3, "spills": 0})
        self.assertTrue(good)
        self.assertEqual(len(lines), 4)
        lines, good = self.judge(arch=[80], loop="pairs", most={"fma": 2.4, "spills": 0})
        self.assertEqual([line[:4] for line in lines], ["FAIL", "pass"])
        self.assertFalse(good)

    def test_a_limit_of_nothing_fails(self):
        for entry in [{"arch": [90], "loop": "pairs"}, {"arch": [120]}, {"arch": [90], "arguments": "double*"}]:
            self.assertFalse(self.judge(**entry, most={"issue": 100})[1], entry)
        self.assertFalse(self.judge(arch=[90], most={"issues": 100})[1])

    def test_misspelt_keys_are_refused(self):
        for entry in [{"architecture": [90], "most": {}}, {"arch": [90], "most": {}, "lop": "quads"}]:
            with self.assertRaisesRegex(ValueError, "expected kernel, arch, most"):
                self.judge(**entry)

    def test_the_limits_of_the_kernels_name_what_is_described(self):
        path = pathlib.Path(__file__).resolve().parent.parent / "kernels/instruction_limits.json"
        for limit in read_limits(path):
            if limit.kernel != "*":
                self.assertIn(limit.loop, [kind.name for kind in KERNELS[limit.kernel].loops], limit)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Checks what sass_report.py counts in a listing whose counts are known. Needs no disassembler."""

import unittest

from sass_report import innermost_loops, kernels_of, measure, pipe_of

# As nvdisasm prints it: an outer loop, and an inner one of ten instructions with two special functions.
LISTING = """
	.section	.text._Z5firstv,"ax",@progbits
.text._Z5firstv:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_2:
        /*0010*/                   LDG.E R2, [R4.64] ;
.L_x_1:
        /*0020*/                   LDS.128 R8, [R3] ;
        /*0030*/                   FFMA R5, R8, R9, R5 ;
        /*0040*/              @!P0 FADD.FTZ R6, R6, R7 ;
        /*0050*/                   FFMA.SAT R7, R8, R9, R10 ;
        /*0060*/                   MUFU.EX2 R8, R7 ;
        /*0070*/                   MUFU.RCP R8, R8 ;
        /*0080*/                   IADD3 R3, R3, 0x10, RZ ;
        /*0090*/                   UIADD3 UR4, UR4, 0x1, URZ ;
        /*00a0*/                   ISETP.GE.AND P0, PT, R3, R11, PT ;
        /*00b0*/              @!P0 BRA `(.L_x_1) ;
        /*00c0*/               @P1 BRA `(.L_x_2) ;
        /*00d0*/                   EXIT ;
.L_x_3:
        /*00e0*/                   BRA `(.L_x_3);
	.section	.text._Z6secondv,"ax",@progbits
        /*0000*/                   EXIT ;
"""


class Counts(unittest.TestCase):
    def test_kernels_and_their_innermost_loops(self):
        kernels = kernels_of(LISTING)
        self.assertEqual(list(kernels), ["_Z5firstv", "_Z6secondv"])
        self.assertEqual([len(loop.body) for loop in kernels["_Z5firstv"]], [10])
        self.assertEqual(kernels["_Z6secondv"], [])

    def test_instructions_of_each_pipe_for_each_element(self):
        (loop,) = kernels_of(LISTING)["_Z5firstv"]
        row = measure(loop, special_per_element=2, arch=90)
        self.assertEqual(row["elements"], 1)
        expected = {"issue": 10, "fma": 3, "special": 2, "alu": 2, "load_store": 1, "uniform": 1, "control": 1, "tensor": 0}
        self.assertEqual({pipe: row[pipe] for pipe in expected}, expected)

    def test_the_slowest_pipe_limits(self):
        (loop,) = kernels_of(LISTING)["_Z5firstv"]
        row = measure(loop, special_per_element=2, arch=90)
        self.assertEqual((row["limit"], row["elements_per_clock"]), ("special", 8))
        row = measure(loop, special_per_element=0.5, arch=90)  # four elements: 128 / 2.5, 16 / 0.5
        self.assertEqual((row["limit"], row["elements_per_clock"]), ("special", 32))

    def test_a_pipe_with_half_the_lanes_limits_older_architectures(self):
        lines = [".L_x_0:", *["/*0010*/ FFMA R1, R2, R3, R1 ;"] * 7, "/*0080*/ MUFU.RCP R1, R1 ;", "/*0090*/ BRA `(.L_x_0) ;"]
        (loop,) = innermost_loops(lines)
        self.assertEqual(measure(loop, 1, 90)["limit"], "issue")
        row = measure(loop, 1, 80)
        self.assertEqual((row["limit"], row["elements_per_clock"]), ("fma", 64 / 7))

    def test_pipes(self):
        for text, pipe in [
            ("HMMA.1688.F32.TF32 R4, R8, R12, R4", "tensor"),
            ("LDGSTS.E.128 [R3], [R4.64]", "load_store"),
            ("SHFL.BFLY PT, R1, R2, 0x10, 0x1f", "load_store"),
            ("ULDC.64 UR4, c[0x0][0x118]", "uniform"),
            ("PRMT R1, R2, 0x5410, R3", "alu"),
            ("BAR.SYNC.DEFER_BLOCKING 0x0", "control"),
        ]:
            self.assertEqual(pipe_of(text), pipe, text)


if __name__ == "__main__":
    unittest.main()

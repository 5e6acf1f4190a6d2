# SPDX-License-Identifier: Apache-2.0
"""Checks the registers that machine_code finds in instructions, and its model of a scheduler, on loops that can be followed by
hand. Needs no disassembler."""

import unittest

from machine_code.issue_model import distances_to_use, throughput
from machine_code.listing import parse
from machine_code.registers import reads, writes

BRANCH = "@!P6 BRA `(.L_x_1)"


def body(*texts):
    return tuple(map(parse, texts))


class Registers(unittest.TestCase):
    def check(self, text, expected_writes, expected_reads):
        instruction = parse(text)
        self.assertEqual(" ".join(writes(instruction)), expected_writes, text)
        self.assertEqual(" ".join(reads(instruction)), expected_reads, text)

    def test_arithmetic(self):
        self.check("FFMA.FTZ.SAT R7, -R8.reuse, |R9|, R10", "R7", "R8 R9 R10")
        self.check("@!P0 FADD R6, R6, c[0x0][0x160]", "R6", "@P0 R6")
        self.check("@!PT FADD R6, R6, -RZ", "R6", "R6")
        self.check("IADD3 R3, P0, P1, R4, ~R5, RZ", "R3 P0 P1", "R4 R5")
        self.check("IADD3.X R3, R4, RZ, RZ, P0, !PT", "R3", "R4 P0")
        self.check("SEL R3, R4, R5, !P2", "R3", "R4 R5 P2")
        self.check("HADD2.F32 R1, -RZ, R2.H0_H0", "R1", "R2")

    def test_pairs(self):
        self.check("IMAD.WIDE.U32 R2, P0, R4, R5, R6", "R2 R3 P0", "R4 R5 R6 R7")
        self.check("IMAD.WIDE.U32.X R2, R4, R5, R6, P1", "R2 R3", "R4 R5 R6 R7 P1")
        self.check("IADD.64 R2, R4, -UR6", "R2 R3", "R4 R5 UR6 UR7")
        self.check("ISETP.GE.S64.AND P0, PT, R2, R4, P3", "P0", "R2 R3 R4 R5 P3")
        self.check("FFMA2 R2, R4.F32x2.HI_LO, R6.F32x2.HI_LO, R2.F32x2.HI_LO", "R2 R3", "R4 R5 R6 R7 R2 R3")
        self.check("CS2R R2, SRZ", "R2 R3", "")
        self.check("SHF.L.U64.HI R3, R2, 0x2, R5", "R3", "R2 R5")
        self.check("I2F.U64.RP R2, R4", "R2", "R4 R5")
        self.check("F2I.U64.TRUNC R2, R4", "R2 R3", "R4")

    def test_memory(self):
        self.check("LDS.128 R8, [R3+UR4+0x10]", "R8 R9 R10 R11", "R3 UR4")
        self.check("LDS.U.64 R8, [R3.X4]", "R8 R9", "R3")
        self.check("LDG.E.64 R2, desc[UR4][R6.64+0x10]", "R2 R3", "UR4 UR5 R6 R7")
        self.check("LDG.E.SYS R0, [R2+0x8]", "R0", "R2 R3")
        self.check("LDG.E R0, [R2.U32+UR4]", "R0", "R2 UR4")
        self.check("STG.E.64 [R2.64], R4", "", "R2 R3 R4 R5")
        self.check("STS.128 [R2], R4", "", "R2 R4 R5 R6 R7")
        self.check("LDGSTS.E.BYPASS.128 [R9+0x100], desc[UR8][R2.64]", "", "R9 UR8 UR9 R2 R3")
        self.check("LDSM.16.M88.4 R4, [R2]", "R4 R5 R6 R7", "R2")
        self.check("LDC.64 R2, c[0x0][R4+0x210]", "R2 R3", "R4")
        self.check("LDCU.128 UR4, c[0x0][0x358]", "UR4 UR5 UR6 UR7", "")

    def test_products(self):
        self.check("HMMA.1688.F32.TF32 R20, R4, R8, RZ", "R20 R21 R22 R23", "R4 R5 R6 R7 R8 R9")
        self.check("HMMA.1684.F32.TF32 R20, R4, R8, R20", "R20 R21 R22 R23", "R4 R5 R8 R20 R21 R22 R23")
        self.check("HMMA.1688.F32 R20, R4, R8, R20", "R20 R21 R22 R23", "R4 R5 R8 R20 R21 R22 R23")
        self.check("HMMA.16816.F16 R20, R4, R8, R12", "R20 R21", "R4 R5 R6 R7 R8 R9 R12 R13")

    def test_predicates(self):
        self.check("PLOP3.LUT P1, PT, PT, P2, UP0, 0x80, 0x0", "P1", "P2 UP0")
        self.check("LOP3.LUT P0, R3, R4, 0x7, RZ, 0xc0, !PT", "P0 R3", "R4")
        self.check("SHFL.BFLY PT, R1, R2, 0x10, 0x1f", "R1", "R2")
        self.check("FCHK P0, R1, R2", "P0", "R1 R2")
        self.check("VOTE.ANY R1, PT, P0", "R1", "P0")
        self.check("R2P PR, R1, 0x3", "P0 P1 P2 P3 P4 P5 P6", "R1")
        self.check("@P3 BRA P1, `(.L_x_6)", "", "@P3 @P1")
        self.check("BRA.U !UP0, `(.L_x_6)", "", "@UP0")


class Model(unittest.TestCase):
    def check(self, warps, expected, *texts, arch=90):
        result = throughput(body(*texts, BRANCH), warps, arch)
        self.assertAlmostEqual(result.cycles, expected, 1)
        self.assertAlmostEqual(result.utilisation, (len(texts) + 1) / expected, 2)

    def test_warps_hide_the_pause_after_a_branch(self):
        independent = [f"FFMA R{i}, R20, R21, R22" for i in range(4)]
        self.check(1, 9, *independent)  # 0 to 3, branch at 4, next at 9
        self.check(2, 5, *independent)
        self.check(8, 5, *independent)

    def test_dependent_instructions_wait(self):
        chain = ["FFMA R1, R1, R20, R21"] * 3
        self.check(1, 14, *chain)  # 0, 4, 8, branch at 9, next at 14
        self.check(2, 7, *chain)
        self.check(8, 4, *chain)

    def test_fma_on_an_older_architecture_takes_two_cycles(self):
        independent = [f"FFMA R{i}, R20, R21, R22" for i in range(8)]
        self.check(4, 9, *independent, arch=90)
        self.check(4, 16, *independent, arch=80)

    def test_integer_work_takes_two_cycles_next_to_fma(self):
        mixed = [text for i in range(4) for text in (f"FFMA R{i}, R20, R21, R22", f"LOP3.LUT R{i + 4}, R20, R21, RZ, 0xc0, !PT")]
        self.check(4, 9, *mixed)
        self.check(4, 12, *mixed[1::2], *mixed[1::2][:2])

    def test_special_functions(self):
        self.check(1, 30, "MUFU.RCP R1, R2", "FADD R3, R1, R2")  # 0, 24, branch at 25
        self.check(8, 8, "MUFU.RCP R1, R2", "FADD R3, R1, R2")
        self.check(8, 32, *[f"MUFU.RCP R{i}, R20" for i in range(4)])

    def test_a_result_is_not_overtaken_by_an_older_one(self):
        self.check(1, 26, "MUFU.RCP R1, R2", "FADD R1, R3, R2")  # 0, 20 with its result at 24, branch at 21, and then 26

    def test_wide_loads(self):
        self.check(1, 29, "LDS R8, [R2]", "FADD R12, R8, R3")  # 0, 23, branch at 24
        self.check(1, 41, "LDS.128 R8, [R2]", "FADD R12, R11, R3")  # 0, 35, branch at 36
        self.check(1, 16, "LDS.128 R8, [R2]", "FADD R16, R12, R3")  # independent
        self.check(8, 32, "LDS.128 R8, [R2]", "STS.128 [R3], R16")

    def test_products(self):
        pair = ["HMMA.1688.F32.TF32 R4, R40, R44, R4", "HMMA.1688.F32.TF32 R8, R40, R44, R8"]
        self.check(1, 25, *pair, arch=80)  # both accumulate
        self.check(4, 16, *pair, arch=80)
        self.check(4, 64, *pair, arch=86)
        self.check(4, 8, *[text.replace("1688", "1684") for text in pair], arch=80)
        self.check(1, 18, pair[0].replace("1688", "1684"), arch=80)
        self.check(1, 33, pair[0], arch=86)  # a cycle after the pipe is free
        # The second waits for the first, whose last register it reads, and the first of the next iteration for its A.
        self.check(1, 50, "HMMA.1688.F32.TF32 R4, R20, R44, RZ", "HMMA.1688.F32.TF32 R20, R7, R44, RZ", arch=80)

    def test_predicates_are_late_for_branches(self):
        self.check(1, 18, "ISETP.GE.AND P6, PT, R1, R2, PT")  # 0, branch at 13
        self.check(1, 10, "ISETP.GE.AND P0, PT, R1, R2, PT", "SEL R3, R4, R5, P0")  # 0, 4, branch at 5
        self.check(1, 19, "ISETP.GE.AND P0, PT, R1, R2, PT", "@P0 FADD R3, R4, R5")  # 0, 13, branch at 14


class Distances(unittest.TestCase):
    def test_first_use_round_the_loop(self):
        loop = body(
            "FADD R9, R3, R4",  # reads R3, of the previous iteration
            "MUFU.EX2 R1, R9",
            "FADD R4, R9, R9",
            "MUFU.RCP R2, R1",  # two after the first
            "FMUL R5, R2, R2",
            "MUFU.RCP R3, R5",
            "MUFU.RCP R6, R5",  # never read
            "MUFU.RCP R5, R9",  # overwritten before it is read
            "FADD R5, R9, R9",
            BRANCH,
        )
        self.assertEqual(distances_to_use(loop, "MUFU"), [2, 1, 5])


if __name__ == "__main__":
    unittest.main()

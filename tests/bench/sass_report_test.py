# SPDX-License-Identifier: Apache-2.0
"""Checks what sass_report.py counts in listings whose counts are known, and how many blocks fit. Needs no disassembler."""

import contextlib
import io
import os
import sys
import unittest
from unittest import mock

import sass_report
from library_ptx import KERNEL, block_sizes
from machine_code.listing import kernel_of, kernels_of, parse
from machine_code.loops import CONTEXT, KERNELS, LOOPS, PAIRS, QUADS, TANH, KernelKind, LoopKind
from machine_code.occupancy import blocks_per_multiprocessor, warps_of_schedulers
from machine_code.pipes import pipe_of
from machine_code.rows import MODELLED_WARPS, counts, modelled, resources

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


def loop_lines(label, *texts):
    """The lines of a loop of these instructions and the branch back."""
    return [f".L_x_{label}:", *(f"/*0010*/ {text} ;" for text in texts), f"/*0020*/ @P0 BRA `(.L_x_{label}) ;"]


class Counts(unittest.TestCase):
    def setUp(self):
        (self.loop,) = kernels_of(LISTING)["_Z5firstv"].innermost_loops()

    def test_kernels_and_their_loops(self):
        kernels = kernels_of(LISTING)
        self.assertEqual(list(kernels), ["_Z5firstv", "_Z6secondv"])
        self.assertEqual([len(loop.body) for loop in kernels["_Z5firstv"].loops], [10, 12])
        self.assertEqual(len(self.loop.body), 10)
        self.assertEqual(kernels["_Z6secondv"].loops, ())

    def test_instructions_of_each_pipe_for_each_element(self):
        self.assertEqual(TANH.elements(self.loop), 1)
        row = counts(self.loop, 1, 90)
        expected = {"issue": 10, "fma": 3, "special": 2, "alu": 2, "load_store": 1, "uniform": 1, "control": 1, "tensor": 0}
        self.assertEqual({pipe: row[pipe] for pipe in expected}, expected)

    def test_the_slowest_pipe_limits(self):
        row = counts(self.loop, 1, 90)
        self.assertEqual((row["limit"], row["elements_per_clock"]), ("special", 8))
        row = counts(self.loop, 4, 90)  # four elements: 128 / 2.5, 16 / 0.5
        self.assertEqual((row["limit"], row["elements_per_clock"]), ("special", 32))

    def test_a_pipe_with_half_the_lanes_limits_older_architectures(self):
        kernel = kernel_of(loop_lines(0, *["FFMA R1, R2, R3, R1"] * 7, "MUFU.RCP R1, R1"))
        self.assertEqual(counts(kernel.loops[0], 1, 90)["limit"], "issue")
        row = counts(kernel.loops[0], 1, 80)
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
            self.assertEqual(pipe_of(parse(text)), pipe, text)


class NamedLoops(unittest.TestCase):
    QUAD = [*["FFMA.FTZ.SAT R1, R2, R3, R4"] * 4, "MUFU.RCP R1, R1"]
    PAIR = [*["FFMA.FTZ.SAT R1, R2, R3, R4"] * 2, "MUFU.RCP R1, R1"]
    SINGLE = ["MUFU.EX2 R1, R1", "FADD R1, R1, 1", "MUFU.RCP R1, R1"]
    PRODUCT = ["HMMA.1688.F32.TF32 R4, R8, R12, R4"] * 6

    def setUp(self):
        copy = loop_lines(5, "LDGSTS.E.128 [R3], [R4.64]")
        context = loop_lines(4, *self.PRODUCT)
        columns = loop_lines(8, *self.PRODUCT)
        exponentials = loop_lines(6, *self.QUAD * 4, "MUFU.EX2 R1, R1")
        self.kernel = kernel_of([
            *loop_lines(1, *self.QUAD * 2), *loop_lines(2, *self.PAIR * 3), *loop_lines(3, *self.SINGLE * 5),
            columns[0], context[0], *copy, *context[1:], *columns[1:], *exponentials, *loop_lines(7, *self.QUAD),
        ])  # fmt: skip

    def found(self, kind):
        loop = kind.find(self.kernel)
        return loop and (len(loop.body), kind.elements(loop))

    def test_each_is_found_by_its_instructions(self):
        self.assertEqual(self.found(QUADS), (11, 8))  # and not the smaller one
        self.assertEqual(self.found(PAIRS), (10, 6))
        self.assertEqual(self.found(TANH), (16, 5))
        self.assertIsNone(QUADS.find(kernel_of(loop_lines(1, *self.PAIR))))
        self.assertIsNone(PAIRS.find(kernel_of(loop_lines(1, *self.QUAD))))

    def test_a_loop_with_products_may_contain_others(self):
        # 6 products of 32 for each lane, of which 3 make one; not the loop around it, which has 12.
        self.assertEqual(self.found(CONTEXT), (9, 64))

    def test_a_loop_around_loops_is_no_hot_loop(self):
        around = kernel_of([".L_x_0:", *loop_lines(1, *self.QUAD), "/*0010*/ MUFU.EX2 R1, R1 ;", "/*0020*/ @P0 BRA `(.L_x_0) ;"])
        self.assertEqual(len(around.loops), 2)
        self.assertIsNone(TANH.find(around))
        self.assertEqual(len(QUADS.find(around).body), 6)

    def test_elements_from_any_count(self):
        kind = LoopKind("gradients", ("MUFU.RCP",), "MUFU.RCP", 26 / 32, rate=("FFMA", 4.5, 7))
        kernel = kernel_of(loop_lines(1, *["FFMA R1, R2, R3, R1"] * 160, *["MUFU.RCP R1, R1"] * 26))
        self.assertEqual(kind.elements(kind.find(kernel)), 32)
        self.assertIsNone(kind.find(self.kernel))

    def test_every_described_loop_has_a_place_in_the_report(self):
        for kind in KERNELS.values():
            self.assertLessEqual(set(kind.loops), set(LOOPS))


class Resources(unittest.TestCase):
    def test_blocks_of_a_multiprocessor(self):
        for limit, blocks, arguments in [
            ("registers", 3, (90, 128, 160, 31168)),  # 5120 for each warp, 12 warps
            ("registers in units", 16, (90, 96, 33, 0)),  # 1280 for each warp, 51 warps, of which 48 on four schedulers
            ("shared memory", 1, (80, 256, 128, 83 << 10)),  # 84 KB of 164
            ("shared memory", 2, (90, 256, 128, 83 << 10)),  # 84 KB of 228
            ("shared memory", 9, (90, 32, 124, 23232)),  # 23.7 KB of 228
            ("blocks", 16, (75, 32, 16, 0)),
            ("blocks", 24, (120, 32, 16, 0)),
            ("warps", 1, (86, 1024, 32, 0)),
            ("too large a block", 0, (120, 256, 128, 100 << 10)),
        ]:
            self.assertEqual(blocks_per_multiprocessor(*arguments), blocks, limit)

    def test_warps_of_schedulers(self):
        self.assertEqual(warps_of_schedulers(9), [3, 2, 2, 2])
        self.assertEqual(warps_of_schedulers(2), [1, 1, 0, 0])

    def test_what_ptxas_and_launch_bounds_say(self):
        line = "ptxas info    : Compiling entry function '{}' for 'sm_90'\nptxas info    : Function properties for {}\n" \
               "    0 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads\nptxas info    : Used {} registers{}\n"  # fmt: skip
        text = line.format("b", "b", 30, "") + line.format("a", "a", 40, ", used 1 barriers, 31168 bytes smem")
        found = [(match["name"], match["registers"], match["shared"]) for match in KERNEL.finditer(text)]
        self.assertEqual(found, [("b", "30", None), ("a", "40", "31168")])
        ptx = b".visible .entry a(\n\t.param .b8 p[8]\n)\n.maxntid 32, 4, 1\n{\n}\n.entry b(\n)\n{\n}\n.entry c()\n.maxntid 256\n{\n}\n"
        self.assertEqual(block_sizes(ptx), {"a": 128, "c": 256})

    def test_a_kernel_has_atomics_and_memory_of_its_own(self):
        kernel = kernel_of(["/*0000*/ RED.E.ADD.F32.FTZ.RN.STRONG.GPU [R2.64], R5 ;", "/*0010*/ EXIT ;"])
        used = {"stack": 8, "stores": 4, "loads": 12, "shared": 1024, "registers": 128}
        row = resources(kernel, KernelKind((), 120 << 10), used, 256, 90)
        expected = {"atomics": 1, "local_memory": 8, "spills": 16, "blocks": 1, "warps": 8}
        self.assertEqual({key: row[key] for key in expected}, expected)
        self.assertIsNone(resources(kernel, KernelKind(()), used, None, 90)["warps"])


class Program(unittest.TestCase):
    def test_tables_have_a_line_for_each_row(self):
        (loop,) = kernels_of(LISTING)["_Z5firstv"].innermost_loops()
        used = {"stack": 0, "stores": 0, "loads": 0, "shared": 0, "registers": 32}
        row = {"arch": 90, "kernel": "first", "arguments": "float", "loop": "tanh"}
        row |= counts(loop, 1, 90) | resources(kernel_of([]), KernelKind(()), used, 256, 90) | modelled(loop, 1, 64, 90)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            sass_report.print_markdown([row, row | resources(kernel_of([]), KernelKind(()), used, None, 90)])
        first, second = (part.splitlines() for part in out.getvalue().split("\n\n"))
        for table, width in ((first, 17), (second, 3 + len(MODELLED_WARPS))):
            self.assertEqual({line.count(" | ") for line in table}, {width - 1})
            self.assertEqual(len(table), 4)
        self.assertIn("| 8, 64 | 8.0 |", first[2])  # as many elements as the special functions allow
        self.assertIn("| ?, ? | ? |", first[3])

    def test_a_check_without_a_disassembler_is_skipped_unless_it_is_required(self):
        for environment, status in (({}, sass_report.SKIPPED), ({"ATTN_REQUIRE_NVDISASM": "1"}, 1)):
            with (
                mock.patch.object(sass_report, "find_nvdisasm", return_value=None),
                mock.patch.dict(os.environ, environment),
                mock.patch.object(sys, "argv", ["sass_report.py", "library.so", "--check", "limits.json"]),
                contextlib.redirect_stderr(io.StringIO()) as said,
                self.assertRaises(SystemExit) as left,
            ):
                if not environment:
                    os.environ.pop("ATTN_REQUIRE_NVDISASM", None)
                sass_report.main()
            self.assertEqual(left.exception.code, status)
            self.assertIn("no nvdisasm", said.getvalue())


if __name__ == "__main__":
    unittest.main()

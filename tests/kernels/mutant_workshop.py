# SPDX-License-Identifier: Apache-2.0
"""Builds mutants of the libraries and runs their tests."""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from mutants import KERNELS, ROOT, users_of

LIBRARIES = ("attn_cuda", "attn_cuda_encoder")
ADDITIVE, POOLING = "parity_additive_test", "parity_pooling_test"
ADDITIVE_NUMERICS, POOLING_NUMERICS = "parity_additive_numerics_test", "parity_pooling_numerics_test"
ATTENTION_TESTS = (ADDITIVE, ADDITIVE_NUMERICS, POOLING, POOLING_NUMERICS)
EMBEDDING, LAYERS, LSTM, PROJECTED, STORAGE, STRANGE_IDS = ENCODER_TESTS = (
    "encoder_embedding_test", "encoder_layers_test", "encoder_lstm_test", "encoder_projected_test", "encoder_storage_test",
    "kernels/kernels_layers_test")
VERDICTS = ("killed", "survived", "same code", "does not compile")
SECONDS = 300  # for the tests of one program; a mutant that takes longer hangs

# Attention kernels are compiled and tested for one storage type first, without the slow tests, because most mutants
# fail there. The kernels of the encoder and their tests are small.
STORAGES = {"fp32": "float", "fp16": "__half", "bf16": "__nv_bfloat16"}
FIRST, OTHERS = ["fp32"], ["fp16", "bf16"]
SLOW = ("*SameBits*:*GivesTheBits*:*Misaligned*:*Recomputed*:*NoGradientOfWeights*:*NoBias*:*NanAnd*:*OwnContext*:"
        "*SeveralTiles*:*RowsThatFill*:*ManySplits/*")
SECONDS_WITHOUT_SLOW = 100

# The tests that launch the kernels of a file, by the beginning of its name: programs, and GoogleTest patterns of the
# tests to run and to exclude.
PLAIN = "*BesidePlainLoops*"  # these measure accuracy, not correctness
SINGLE = ("*cuda*_Q1_*:*On.*cuda*", f"{PLAIN}:*SeveralTiles*:*RowsThatFill*")
MULTI = ("*cuda*", f"{PLAIN}:*_Q1_*")
ATTENTION = ("*cuda*", PLAIN)
REACHED_BY = {
    "pooling_": {POOLING: ATTENTION, POOLING_NUMERICS: ATTENTION},
    "additive_single_": {ADDITIVE: SINGLE, ADDITIVE_NUMERICS: SINGLE},
    "additive_multi_": {ADDITIVE: MULTI, ADDITIVE_NUMERICS: MULTI},
    "merge": {POOLING: ATTENTION, POOLING_NUMERICS: ATTENTION, ADDITIVE: ATTENTION, ADDITIVE_NUMERICS: ATTENTION},
    "row_sums": {POOLING: ATTENTION, POOLING_NUMERICS: ATTENTION, ADDITIVE: ATTENTION, ADDITIVE_NUMERICS: ATTENTION},
    "embedding": {EMBEDDING: ("*cuda*", ""), STRANGE_IDS: ("*Ids*", "")},
    "sort_by_id": {EMBEDDING: ("*cuda*", "")},
    "dense": {LAYERS: ("*cuda*", "")},
    "elementwise": {LAYERS: ("*cuda*", ""), STORAGE: ("*cuda*", "")},
    "transpose": {LSTM: ("*cuda*", "")},
    "upload_values": {LSTM: ("*cuda*", "")},
    "copy_rows": {PROJECTED: ("*cuda*", ""), LSTM: ("*cuda*", "")},
}


def module_of(code):
    """The prefix that nvcc gives to the kernels of a file, with its length."""
    length = re.search(rb"([0-9]{2})_GLOBAL__N__", code)
    return code[length.start():length.end(1) + int(length[1])]


def code_of(code):
    """An object file or PTX without the parts that depend on the source's path and on nvcc's process."""
    return re.sub(rb"tmpxft_[0-9a-f]+_[0-9a-f]+", b"", code.replace(module_of(code), b""))


def storages_of(line):
    """The storage types for which a line of a .cu file instantiates kernels."""
    instantiation = re.match(r"template cudaError_t .*<([^<>]*)>&", line)
    return set(instantiation[1].split(", ")) if instantiation else set()


def kind_of(name):
    """The key of REACHED_BY for a .cu file."""
    return next(beginning for beginning in REACHED_BY if name.startswith(beginning))


def tests_of(name):
    return REACHED_BY[kind_of(name)].keys()


def is_attention(name):
    return tests_of(name) <= set(ATTENTION_TESTS)


class Workshop:
    """Builds and tests mutants of the libraries of one build folder."""

    def __init__(self, build):
        self.build = build
        self.compile, self.link, self.library = {}, {}, {}
        for library in LIBRARIES:
            commands = subprocess.run(["ninja", "-C", build, "-t", "commands", library], check=True, capture_output=True,
                                      text=True).stdout.splitlines()
            for command in commands:
                source = re.search(r"-c (\S*/kernels/(\w+\.cu)) ", command)
                if source and source[2] not in self.compile:
                    self.compile[source[2]], self.library[source[2]] = command, library
                    self.compiler = pathlib.Path(re.search(r"(\S*nvcc) ", command)[1])
            (self.link[library],) = [command for command in commands if f"-soname,lib{library}.so" in command]
        self.objects = {name: re.search(r"-o (\S+)", command)[1] for name, command in self.compile.items()}

    def shell(self, command, environment=None, seconds=None):
        return subprocess.run(command, shell=True, cwd=self.build, env=environment, capture_output=True, text=True,
                              timeout=seconds)

    def expect_whole_library_passes(self):
        """Checks that the tests pass without a mutation; otherwise every mutant would seem to be killed."""
        for test in ATTENTION_TESTS + ENCODER_TESTS:
            outcome = self.run(test, "*EveryLengthIsT/cuda_fp32*:Runs/*/cuda:*ForwardAndBackward/cuda_fp32*",
                               self.build / "host", SECONDS)
            if outcome.returncode != 0:
                raise RuntimeError(f"{test} fails on the library as it is:\n{outcome.stdout}{outcome.stderr}")

    def judge(self, mutant):
        """Returns one of VERDICTS and the message of the test that failed."""
        verdict = "same code"
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(KERNELS, folder / "kernels")
            source = folder / "kernels" / mutant.file
            lines = source.read_text().splitlines()
            lines[mutant.line - 1] = mutant.after
            source.write_text("\n".join(lines) + "\n")
            changed = []
            for name in self.users(mutant.file):
                verdict, message = self.run_fast_tests(name, folder)
                if verdict in ("killed", "does not compile"):
                    return verdict, message
                if verdict == "survived":
                    changed.append(name)
            for name in changed:
                message = self.run_all_tests(name, folder)
                if message:
                    return "killed", message
            return ("survived" if changed else "same code"), ""

    def run_fast_tests(self, name, folder):
        """Judges the kernels of one .cu file in `folder` by the fast tests.

        Device code is put into the object files of the build, in half the time of compiling the host code again.
        """
        if not is_attention(name):
            return self.compile_and_test(name, folder)
        first, whole = self.ptx(name, folder, FIRST), self.whole_ptx(name)
        if first is None:
            return "does not compile", ""
        if code_of(first) == code_of(whole):
            return self.compile_and_test(name, folder, FIRST, SLOW)
        self.link_library(folder, name, self.with_ptx(name, folder, first))
        message = self.complaint(folder, name, FIRST, SLOW)
        return ("killed", message) if message else ("survived", "")

    def compile_and_test(self, name, folder, storages=(), excluded=""):
        made = folder / f"{name}.whole.o"
        if self.shell(self.compile_command(name, folder, made)).returncode != 0:
            return "does not compile", ""
        if code_of(made.read_bytes()) == self.whole_object(name):
            return "same code", ""
        self.link_library(folder, name, made)
        message = self.complaint(folder, name, storages, excluded)
        return ("killed", message) if message else ("survived", "")

    def run_all_tests(self, name, folder):
        """Judges the mutants that passed the fast tests by all tests."""
        if not is_attention(name):
            return ""
        whole, part = folder / f"{name}.whole.o", folder / f"{name}.o"
        if whole.exists():
            self.link_library(folder, name, whole)
            return self.complaint(folder, name, FIRST + OTHERS)
        self.link_library(folder, name, part)
        message = self.complaint(folder, name, FIRST)
        if not message:
            self.link_library(folder, name, self.with_ptx(name, folder, self.ptx(name, folder, FIRST + OTHERS)))
            message = self.complaint(folder, name, OTHERS)
        return message

    def ptx(self, name, folder, storages):
        """The PTX for some storage types, or None if it does not compile."""
        source, part = folder / "kernels" / name, folder / "part" / name
        part.parent.mkdir(exist_ok=True)
        wanted = {STORAGES[storage] for storage in storages}
        lines = source.read_text().splitlines(keepends=True)
        part.write_text("".join(line for line in lines if storages_of(line) <= wanted))
        made = part.with_suffix(".ptx")
        command = self.compile_command(name, folder, made).replace(f"-c {source}", f"-ptx {part}")
        return made.read_bytes() if self.shell(command).returncode == 0 else None

    @functools.cache
    def whole_ptx(self, name):
        with tempfile.TemporaryDirectory(prefix="whole-") as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(KERNELS, folder / "kernels")
            return self.ptx(name, folder, FIRST)

    def with_ptx(self, name, folder, ptx):
        """The object file of the build with other device code, its kernels renamed to match the host code."""
        whole, made = self.build / self.objects[name], folder / f"{name}.o"
        ptx = ptx.replace(module_of(ptx), module_of(whole.read_bytes()))
        (folder / "part.ptx").write_bytes(ptx)
        packed = self.shell(f"{self.compiler.parent}/fatbinary -64 -compress=false --create={folder}/part.fatbin "
                            f"--image3=kind=ptx,sm=90,file={folder}/part.ptx && "
                            f"objcopy --update-section .nv_fatbin={folder}/part.fatbin {whole} {made}")
        if packed.returncode != 0:
            raise RuntimeError(packed.stderr)
        return made

    @functools.cache
    def whole_object(self, name):
        with tempfile.TemporaryDirectory(prefix="whole-") as folder:
            made = pathlib.Path(folder) / f"{name}.o"
            compiled = self.shell(self.compile_command(name, ROOT, made))
            if compiled.returncode != 0:
                raise RuntimeError(compiled.stderr)
            return code_of(made.read_bytes())

    def link_library(self, folder, name, made):
        link = self.link[self.library[name]]
        library = re.search(r"-o (\S+)", link)[1]
        soname = re.search(r"-soname,(\S+)", link)[1]
        link = link.replace(self.objects[name], str(made)).replace(f"-o {library}", f"-o {folder / soname}")
        linked = self.shell(link)
        if linked.returncode != 0:
            raise RuntimeError(linked.stderr)

    def compile_command(self, name, folder, made):
        command = re.sub(r"^\S*ccache |--generate-code=\S+ ", "", self.compile[name])
        command = re.sub(r" -MD -MT \S+ -MF \S+", " -w -gencode arch=compute_90,code=compute_90", command)
        command = re.sub(r"-Werror=all-warnings|-Xcompiler=-Werror|-Xcompiler=-W\S+| -g\b| -lineinfo", "", command)
        command = command.replace(str(KERNELS / name), str(folder / "kernels" / name))
        return command.replace(f"-I{ROOT} ", f"-I{folder} ").replace(f"-o {self.objects[name]}", f"-o {made}")

    def run(self, test, chosen, folder, seconds):
        environment = os.environ | {"LD_LIBRARY_PATH": f"{folder}:{self.build / 'vgpu/lib'}", "VGPU_WORKERS": "1"}
        command = f"exec tests/{test} --gtest_filter='{chosen}' --gtest_brief=1 --gtest_fail_fast"
        return self.shell(command, environment, seconds)

    def complaint(self, folder, name, storages, excluded=""):
        """The message of the first test of a .cu file's kernels that fails with the library in a folder, or "". Without
        storages, all storage types are tested."""
        for test, (patterns, skipped) in REACHED_BY[kind_of(name)].items():
            chosen = ":".join(patterns.replace("cuda", f"cuda_{storage}") for storage in storages) or patterns
            chosen += f"-{skipped}:{excluded}"
            seconds = SECONDS_WITHOUT_SLOW if excluded == SLOW else SECONDS
            try:
                outcome = self.run(test, chosen, folder, seconds)
            except subprocess.TimeoutExpired:
                return f"{test} takes longer than {seconds} s"
            if outcome.returncode != 0:
                lines = (outcome.stderr + outcome.stdout).splitlines()
                first = next((line for line in lines if line.startswith("vgpu: ") or "FAILED" in line), "")
                return first or f"{test} ended with {outcome.returncode}"
        return ""

    @functools.cache
    def users(self, file):
        """The .cu files that a file in kernels/ is compiled into, those with the fastest tests first."""
        return sorted(users_of(file), key=lambda name: (list(REACHED_BY).index(kind_of(name)), name))

    @functools.cache
    def state(self, file):
        """A digest of everything that the verdict on a mutant of a file depends on, except the mutant."""
        digest = hashlib.sha256()
        tests = ATTENTION_TESTS if all(map(is_attention, self.users(file))) else ATTENTION_TESTS + ENCODER_TESTS
        for path in sorted(KERNELS.rglob("*")) + [self.build / "tests" / test for test in tests]:
            if path.is_file() and path.suffix != ".md":
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

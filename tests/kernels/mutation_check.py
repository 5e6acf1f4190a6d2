# SPDX-License-Identifier: Apache-2.0
"""Breaks the kernels on purpose, one place at a time, and shows that the parity tests on the virtual GPU see each break.

mutation_check.py BUILD [--sample N] [--only TEXT]: BUILD is a build folder with the CUDA backend and the tests. Every
mutant is one change of one line of kernels/: a barrier dropped, a bound off by one, a mask, a rescale or a condition
skipped, two indices swapped. It is compiled for one architecture, linked into a copy of the library, and the parity
tests run on that. A mutant that they pass is a survivor, and must stand in mutation_survivors.txt with the reason why
it changes nothing. Verdicts are kept in BUILD/mutants.jsonl: what was judged before, with the same sources and tests,
is not judged again, so a run that was interrupted goes on.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "kernels"
SURVIVORS = pathlib.Path(__file__).with_name("mutation_survivors.txt")
TESTS = ("parity_additive_test", "parity_pooling_test")
SECONDS = 300  # for all tests of a mutant; one that takes longer hangs

# A name that is no call; "\b" would take part of a qualified one.
NAME = r"(?<![\w.])\w+(?:\.\w+)*(?![\w(])"
# What is replaced, by what, for each way to break a line.
OPERATORS = {
    "barrier dropped": [(r"__sync(?:threads|warp)\(\);", "")],
    "bound off by one": [(r" < (?!<)", " <= "), (r" <= ", " < "), (r" >= ", " > "), (r" > (?!>)", " >= ")],
    "mask skipped": [
        (r"(?<=[(=] )[^?(=]*(?:\([^()]*\)[^?(=]*)*(?<!nullptr) \? (?=[^:]* : (?:0\.0f|float4))", "true ? "),
        (r"if \([^;]*\) continue;", ""),
        (r"if \([^;]*\) return;", ""),
        (r" && (?:[^&|?;()]|\([^()]*\))+(?=[)?;])", " "),
    ],
    "rescale skipped": [
        (r"rescale\([^()]*\)", "1.0f"),
        (r"shift_of\(([^()]*)\)", "0.0f"),
        (r"divisor\(([^()]*)\)", r"\1"),
        (r" / (?:sum|divided_by)\b", ""),
        (r" \* (?:factor|shared\.factor\[n\])", ""),
    ],
    "indices swapped": [
        (rf"({NAME}) \* ({NAME}) \+ ({NAME})", r"\3 * \2 + \1"),
        (r"\[([^\[\]]+)\]\[([^\[\]]+)\]", r"[\2][\1]"),
    ],
    "sign flipped": [(r"fmaf\(-", "fmaf("), (r"(?<=\w\]) - (?=mean)", " + "), (r"1 - ", "1 + ")],
}
# Lines that say how a kernel is made, not what it does with data. Loops that are unrolled go over registers, of which
# there is none behind the last.
NOT_BROKEN = re.compile(
    r"^\s*(//|#|template|constexpr|static_assert|inline constexpr|using|enum|(__shared__ )?float4? \w+(\[[^\]]+\])+(\{\})?;)"
)
UNROLLED = re.compile(r"^\s*#pragma unroll$")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # below kernels/
    line: int
    operator: str
    before: str  # the line, stripped
    after: str
    nth: int  # of those of the file that read the same

    def __str__(self):
        return f"{self.file}:{self.line}: {self.operator}\n    {self.before}\n    {self.after}"

    @property
    def key(self):
        """As mutation_survivors.txt names it; line numbers may change."""
        return f"{self.file} | {self.before} | {self.after} | {self.nth}"

    def digest(self, seed):
        return hashlib.sha256(f"{seed} {self.key}".encode()).digest()


def mutants_of(path):
    file = str(path.relative_to(KERNELS))
    seen = collections.Counter()
    line = ""
    for number, next_line in enumerate(path.read_text().splitlines(), 1):
        before, line = line, next_line
        if NOT_BROKEN.match(line) or UNROLLED.match(before):
            continue
        code = line.split("  // ")[0]
        for operator, changes in OPERATORS.items():
            for pattern, replacement in changes:
                for match in re.finditer(pattern, code):
                    after = code[: match.start()] + match.expand(replacement) + code[match.end():]
                    if after != code:
                        text = (code.strip(), after.strip())
                        seen[text] += 1
                        yield Mutant(file, number, operator, *text, seen[text])


def all_mutants():
    files = sorted([*KERNELS.glob("*.cu"), *KERNELS.glob("device/*.cuh")])
    return [mutant for path in files for mutant in mutants_of(path)]


def users_of(file):
    """The .cu files that are compiled from a file below kernels/."""
    found, new = set(), {file}
    while new:
        found |= new
        paths = [*KERNELS.glob("*.cu"), *KERNELS.glob("device/*.cuh")]
        names = {str(path.relative_to(KERNELS)): path.read_text() for path in paths}
        new = {name for name, text in names.items() if any(f'"kernels/{used}"' in text for used in new)} - found
    return sorted(name for name in found if name.endswith(".cu"))


class Workshop:
    """Builds and tests mutants of the library of one build folder."""

    def __init__(self, build):
        self.build = build
        commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "attn_cuda"], check=True, capture_output=True,
                                  text=True).stdout.splitlines()
        self.compile = {}
        for command in commands:
            source = re.search(r"-c (\S*/kernels/(\w+\.cu)) ", command)
            if source:
                self.compile[source[2]] = command
        (self.link,) = [command for command in commands if "-soname,libattn_cuda.so" in command]
        self.objects = {name: re.search(r"-o (\S+)", command)[1] for name, command in self.compile.items()}

    def shell(self, command, environment=None, seconds=None):
        return subprocess.run(command, shell=True, cwd=self.build, env=environment, capture_output=True, text=True,
                              timeout=seconds)

    def judge(self, mutant):
        """(verdict, what the tests said): "killed", "does not compile" or "survived"."""
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(KERNELS, folder / "kernels")
            source = folder / "kernels" / mutant.file
            lines = source.read_text().splitlines()
            lines[mutant.line - 1] = mutant.after
            source.write_text("\n".join(lines) + "\n")
            link = self.link
            for name in self.compile.keys() & users_of(mutant.file):
                made = folder / f"{name}.o"
                if self.shell(self.compile_command(name, folder, made)).returncode != 0:
                    return "does not compile", ""
                link = link.replace(self.objects[name], str(made))
            library = re.search(r"-o (\S+)", link)[1]
            soname = re.search(r"-soname,(\S+)", link)[1]
            linked = self.shell(link.replace(f"-o {library}", f"-o {folder / soname}"))
            if linked.returncode != 0:
                raise RuntimeError(linked.stderr)
            # First the tests that are more likely to fail.
            return self.test(folder, sorted(TESTS, key=lambda test: ("pooling" in test) != ("pooling" in mutant.file)))

    def compile_command(self, name, folder, made):
        command = re.sub(r"--generate-code=\S+ ", "", self.compile[name])
        command = re.sub(r" -MD -MT \S+ -MF \S+", " -w -gencode arch=compute_90,code=compute_90", command)
        command = re.sub(r"-Werror=all-warnings|-Xcompiler=-Werror|-Xcompiler=-W\S+", "", command)
        command = command.replace(f"-I{ROOT} ", f"-I{folder} ").replace(str(KERNELS / name), str(folder / "kernels" / name))
        return command.replace(f"-o {self.objects[name]}", f"-o {made}")

    def test(self, folder, tests):
        environment = os.environ | {"LD_LIBRARY_PATH": f"{folder}:{self.build / 'vgpu/lib'}", "VGPU_WORKERS": "1"}
        for test in tests:
            command = f"exec tests/{test} --gtest_filter='*cuda*-*BesidePlainLoops*' --gtest_brief=1 --gtest_fail_fast"
            try:
                outcome = self.shell(command, environment, SECONDS)
            except subprocess.TimeoutExpired:
                return "killed", f"{test} takes longer than {SECONDS} s"
            if outcome.returncode != 0:
                said = (outcome.stdout + outcome.stderr).splitlines()
                first = next((line for line in said if line.startswith("vgpu: ") or "FAILED" in line), "")
                return "killed", first or f"{test} ended with {outcome.returncode}"
        return "survived", ""

    def builds(self, file):
        return not self.compile.keys().isdisjoint(users_of(file))

    def state(self):
        """Of what verdicts depend on, besides the mutant."""
        digest = hashlib.sha256()
        for path in sorted(KERNELS.rglob("*")) + [self.build / "tests" / test for test in TESTS]:
            if path.is_file() and path.suffix != ".md":
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def known_survivors():
    """Reasons, by key."""
    reasons = {}
    for line in SURVIVORS.read_text().splitlines():
        if line and not line.startswith("#"):
            key, _, reason = line.rpartition(" | ")
            reasons[key] = reason
    return reasons


class Verdicts:
    def __init__(self, path, state):
        self.path, self.state = path, state
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [json.loads(line) for line in lines]
        self.known = {entry["key"]: entry for entry in kept if entry["state"] == state}

    def add(self, mutant, verdict, said):
        entry = {"state": self.state, "key": mutant.key, "verdict": verdict, "said": said}
        self.known[mutant.key] = entry
        with self.path.open("a") as out:
            out.write(json.dumps(entry) + "\n")


def main():
    options = parse_options()
    workshop = Workshop(options.build.resolve())
    mutants = [mutant for mutant in all_mutants() if options.only in str(mutant) and workshop.builds(mutant.file)]
    total = len(mutants)
    if options.sample:
        explained = known_survivors().keys()
        mutants = [mutant for mutant in mutants if mutant.key not in explained]
        mutants = sorted(mutants, key=lambda mutant: mutant.digest(options.seed))[: options.sample]
    verdicts = Verdicts(workshop.build / "mutants.jsonl", workshop.state())
    waiting = [mutant for mutant in mutants if mutant.key not in verdicts.known]
    print(f"{len(mutants)} of {total} mutants, {len(mutants) - len(waiting)} judged before", flush=True)

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(workshop.judge, mutant): mutant for mutant in waiting}
        try:
            for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
                verdicts.add(jobs[job], *job.result())
                left = (time.monotonic() - started) / done * (len(waiting) - done)
                print(f"[{done}/{len(waiting)}, {left / 60:.0f} min left] {job.result()[0]}: {jobs[job]}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return report(mutants, verdicts)


def report(mutants, verdicts):
    reasons = known_survivors()
    counts = collections.Counter((mutant.operator, verdicts.known[mutant.key]["verdict"]) for mutant in mutants)
    print()
    for operator in OPERATORS:
        of = {verdict: counts[operator, verdict] for verdict in ("killed", "survived", "does not compile")}
        print(f"{operator:18} " + ", ".join(f"{count} {verdict}" for verdict, count in of.items()))
    survivors = [mutant for mutant in mutants if verdicts.known[mutant.key]["verdict"] == "survived"]
    for mutant in survivors:
        print(f"\nsurvived, {reasons.get(mutant.key, 'NO REASON IS KNOWN')}:\n{mutant}")
    unexplained = [mutant for mutant in survivors if mutant.key not in reasons]
    print(f"\n{len(survivors)} survived, {len(unexplained)} of them without a reason in {SURVIVORS.name}")
    return 1 if unexplained else 0


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="judge so many of those that should not survive; the same ones while "
                        "their lines stay")
    parser.add_argument("--seed", type=int, default=1, help="another choice of them")
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose file, operator or line has this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

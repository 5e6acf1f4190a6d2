# SPDX-License-Identifier: Apache-2.0
"""Breaks the kernels on purpose, one line at a time, and checks that the tests on the virtual GPU detect each mutant.

mutation_check.py BUILD [--sample N] [--only TEXT]: BUILD is a build folder with the CUDA backend and the tests. Every
mutant is one change of one line of kernels/: a barrier dropped, a bound off by one, a mask, a rescale or a condition
skipped, two indices swapped. It is compiled for one architecture and linked into a copy of its library, on which all
tests run that launch a kernel of the changed file. A changed header is tried in each file that includes it, one after
another. A mutant that passes is a survivor and must be listed in mutation_survivors.txt with the reason why it changes
nothing. Verdicts are kept in BUILD/mutants.jsonl. A mutant that was judged before, with the same sources and tests, is
not judged again, so an interrupted run resumes.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import time

from mutant_workshop import VERDICTS, Workshop
from mutants import OPERATORS, all_mutants

SURVIVORS = pathlib.Path(__file__).with_name("mutation_survivors.txt")
CAUSES = ("the virtual GPU's checks", "a wrong result", "time")


def known_survivors():
    """The reasons why survivors change nothing, by the key of the mutant."""
    reasons = {}
    for line in SURVIVORS.read_text().splitlines():
        if line and not line.startswith("#"):
            key, _, reason = line.rpartition(" | ")
            reasons[key] = reason
    return reasons


class Verdicts:
    def __init__(self, path, mutants, state_of):
        self.path, self.state_of = path, state_of
        lines = path.read_text().splitlines() if path.exists() else []
        kept = {(entry["key"], entry["state"]): entry for entry in map(json.loads, lines)}
        found = [kept.get((mutant.key, state_of(mutant.file))) for mutant in mutants]
        self.known = {entry["key"]: entry for entry in found if entry}

    def add(self, mutant, verdict, said):
        entry = {"state": self.state_of(mutant.file), "key": mutant.key, "verdict": verdict, "said": said}
        self.known[mutant.key] = entry
        with self.path.open("a") as out:
            out.write(json.dumps(entry) + "\n")


def main():
    options = parse_options()
    workshop = Workshop(options.build.resolve())
    workshop.expect_whole_library_passes()
    mutants = [mutant for mutant in all_mutants() if options.only in str(mutant)]
    total = len(mutants)
    explained = known_survivors().keys()
    if options.sample:
        mutants = [mutant for mutant in mutants if mutant.key not in explained]
        mutants = sorted(mutants, key=lambda mutant: mutant.digest(options.seed))[: options.sample]
    verdicts = Verdicts(workshop.build / "mutants.jsonl", mutants, workshop.state)
    waiting = [mutant for mutant in mutants if mutant.key not in verdicts.known]
    waiting.sort(key=lambda mutant: mutant.key in explained)  # unknown ones first
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


def cause_of(entry):
    """Which of CAUSES, if any, killed the mutant of a verdict."""
    if entry["verdict"] != "killed":
        return None
    return CAUSES[0 if entry["said"].startswith("vgpu: ") else 2 if "takes longer than" in entry["said"] else 1]


def report(mutants, verdicts):
    reasons = known_survivors()
    counts = collections.Counter((mutant.operator, verdicts.known[mutant.key]["verdict"]) for mutant in mutants)
    print()
    for operator in OPERATORS:
        of = {verdict: counts[operator, verdict] for verdict in VERDICTS}
        print(f"{operator:18} " + ", ".join(f"{count} {verdict}" for verdict, count in of.items()))
    causes = collections.Counter(cause_of(verdicts.known[mutant.key]) for mutant in mutants)
    print("killed by " + ", ".join(f"{cause}: {causes[cause]}" for cause in CAUSES))
    survivors = [mutant for mutant in mutants if verdicts.known[mutant.key]["verdict"] == "survived"]
    for mutant in survivors:
        print(f"\nsurvived, {reasons.get(mutant.key, 'NO REASON IS KNOWN')}:\n{mutant}")
    unexplained = [mutant for mutant in survivors if mutant.key not in reasons]
    print(f"\n{len(survivors)} survived, {len(unexplained)} of them without a reason in {SURVIVORS.name}")
    return 1 if unexplained else 0


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="judge so many mutants that should not survive; the choice is stable while "
                        "their lines do not change")
    parser.add_argument("--seed", type=int, default=1, help="selects another sample")
    parser.add_argument("--only", default="", metavar="TEXT", help="only if file, operator or line contains this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

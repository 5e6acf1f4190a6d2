#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which lines of the virtual GPU have run, by source file, for a build with VGPU_COVERAGE=ON.

    coverage.py BUILD [--functions]

Programs that run on that build's libraries write what ran into BUILD; see README.md. With --functions it also lists the functions
that never ran. Needs gcov."""
import argparse
import collections
import json
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent / "src"


def reports(build):
    """The report of gcov for each object file that belongs to a library."""
    for notes in sorted(build.rglob("*.gcno")):
        # Without the file of counts that a run leaves, gcov reports the lines with a count of zero.
        done = subprocess.run(["gcov", "--json-format", "--stdout", notes.resolve()], cwd=build, check=True,
                              capture_output=True, text=True)
        for line in done.stdout.splitlines():
            yield json.loads(line)


def collect(build):
    """Counts of lines and of functions: {source file: {line: count}}, {source file: {function: count}}."""
    lines = collections.defaultdict(collections.Counter)
    functions = collections.defaultdict(collections.Counter)
    for report in reports(build):
        for file in report["files"]:
            path = pathlib.Path(report["current_working_directory"], file["file"]).resolve()
            if SOURCE not in path.parents:
                continue
            name = str(path.relative_to(SOURCE))
            for line in file["lines"]:
                lines[name][line["line_number"]] += line["count"]
            for function in file["functions"]:
                functions[name][function["demangled_name"]] += function["execution_count"]
    return lines, functions


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD")
    parser.add_argument("--functions", action="store_true", help="also list the functions that never ran")
    arguments = parser.parse_args()
    lines, functions = collect(arguments.build)
    if not lines:
        parser.error(f"{arguments.build}: expected a build with VGPU_COVERAGE=ON, got no report of gcov")
    folders = collections.defaultdict(lambda: [0, 0])
    for name in sorted(lines):
        ran, known = sum(count > 0 for count in lines[name].values()), len(lines[name])
        print(f"{ran:5} of {known:5} lines  {name}")
        folder = folders[str(pathlib.Path(name).parent)]
        folder[0] += ran
        folder[1] += known
        if arguments.functions:
            for function, count in sorted(functions[name].items()):
                if count == 0:
                    print(f"{'':22}never ran: {function}")
    print()
    for name, (ran, known) in sorted(folders.items()):
        print(f"{ran:5} of {known:5} lines  {name}/")


if __name__ == "__main__":
    main()

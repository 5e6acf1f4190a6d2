# SPDX-License-Identifier: Apache-2.0
"""Set-up by bootstrap.sh: a copy of it in a folder with spaces, and stand-ins for all that would change the machine."""
import pathlib
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bootstrap.sh"
REAL_TOOLS = ["bash", "cat", "dirname", "env", "grep"]
PRODUCT = {"g++", "cmake", "ninja-build", "libdnnl-dev", "libhwy-dev", "libarchive-dev", "libpango1.0-dev"}
TESTS_ONLY = {"clang-14", "clang-format-14", "libgtest-dev", "python3-venv", "shellcheck"}


class Machine:
    """Debian 12 with root and every package, until a test says otherwise."""

    def __init__(self, folder):
        self.root = folder / "a clone with spaces"
        self.elsewhere = folder / "elsewhere"
        self.tools = folder / "tools"
        self.log = folder / "log"
        self.os_release = folder / "os-release"
        self.usual_nvcc = folder / "usual place/nvcc"  # where no compiler is until a test puts it there
        for made in (self.root, self.elsewhere, self.tools):
            made.mkdir()
        shutil.copy(SCRIPT, self.root)
        for name in REAL_TOOLS:
            (self.tools / name).symlink_to(shutil.which(name))
        self.os_release.write_text('ID=debian\nVERSION_ID="12"\n')
        self.absent()
        self.tool("apt-get")
        self.tool("id", "echo 0")
        self.tool("cmake")
        trainer = self.root / "build/release/host/classifier/attn_train"
        trainer.parent.mkdir(parents=True)
        self.script(trainer, 'printf "<%s>" "$@"; echo; echo "in $PWD"; echo "IMDB ${ATTN_IMDB:-none}"')

    @staticmethod
    def script(path, body):
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def tool(self, name, body=""):
        """A stand-in that notes its call, then runs `body`."""
        self.script(self.tools / name, f'echo "{name} $*" >>"{self.log}"\n{body}')

    def absent(self, *packages):
        """dpkg-query knows all packages but these; of "all" it knows none."""
        words = " ".join(packages)
        self.tool("dpkg-query", f'for package in "${{@:3}}"; do\n'
                                f'  [[ " {words} " == *" all "* || " {words} " == *" $package "* ]] || echo "installed $package"\n'
                                f"done")

    def run(self, *arguments):
        self.log.write_text("")
        environment = {"PATH": str(self.tools), "ATTN_OS_RELEASE": str(self.os_release),
                       "ATTN_NVCC": str(self.usual_nvcc)}
        return subprocess.run([self.root / "bootstrap.sh", *arguments], cwd=self.elsewhere, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def calls(self, name):
        return [line.split()[1:] for line in self.log.read_text().splitlines() if line.split()[0] == name]

    def installed(self):
        """The packages that apt-get was asked for."""
        return {word for call in self.calls("apt-get") if call[0] == "install" for word in call[1:] if word[0] != "-"}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_help_names_every_verb(machine):
    result = machine.run("help")
    assert result.returncode == 0
    for verb in ("train", "data", "test", "bench", "nvcc", "format", "help"):
        assert f"\n  {verb} " in result.stdout
    assert machine.log.read_text() == ""


@pytest.mark.parametrize("arguments", [[], ["tarin"]])
def test_no_or_unknown_verb_shows_help_and_fails(machine, arguments):
    result = machine.run(*arguments)
    assert result.returncode == 2
    assert "usage: ./bootstrap.sh VERB" in result.stderr
    assert result.stdout == ""


def test_train_installs_what_it_needs_and_says_why(machine):
    machine.absent("all")
    result = machine.run("train")
    assert result.returncode == 0, result.stderr
    assert machine.calls("apt-get")[0] == ["update"]
    assert PRODUCT <= machine.installed()
    assert not TESTS_ONLY & machine.installed()
    for package in machine.installed():
        assert f"  {package} " in result.stderr
    assert "Highway: portable SIMD" in result.stderr


def test_only_missing_packages_are_installed(machine):
    machine.absent("libhwy-dev")
    assert machine.run("train").returncode == 0
    assert machine.installed() == {"libhwy-dev"}


def test_train_with_all_there_builds_and_passes_options_on(machine):
    result = machine.run("train", "--epochs", "2", "--data", "my texts")
    assert result.returncode == 0, result.stderr
    assert machine.calls("apt-get") == []
    assert machine.calls("cmake") == [["--preset", "release"], ["--build", "--preset", "release"]]
    assert result.stdout.splitlines() == ["<train><--epochs><2><--data><my texts>", f"in {machine.elsewhere}", "IMDB none"]


def test_train_finds_the_fetched_archive(machine):
    archive = machine.root / "data/aclImdb_v1.tar.gz"
    archive.parent.mkdir()
    archive.touch()
    assert f"IMDB {archive}" in machine.run("train").stdout


def test_failed_build_does_not_train(machine):
    machine.tool("cmake", "exit 1")
    result = machine.run("train")
    assert result.returncode != 0
    assert "could not build attn_train" in result.stderr
    assert result.stdout == ""


def test_moved_build_folder_is_configured_anew(machine):
    cache = machine.root / "build/release/CMakeCache.txt"
    cache.write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/where/it/was\n")
    assert machine.run("train").returncode == 0
    assert machine.calls("cmake")[0] == ["--fresh", "--preset", "release"]
    cache.write_text(f"CMAKE_HOME_DIRECTORY:INTERNAL={machine.root}\n")
    assert machine.run("train").returncode == 0
    assert machine.calls("cmake")[0] == ["--preset", "release"]


def test_without_root_it_uses_sudo(machine):
    machine.absent("libfmt-dev")
    machine.tool("id", "echo 1000")
    machine.tool("sudo", '"$@"')
    assert machine.run("train").returncode == 0
    assert len(machine.calls("sudo")) == 2
    assert machine.installed() == {"libfmt-dev"}


def test_without_root_and_sudo_it_says_what_is_missing(machine):
    machine.absent("libfmt-dev", "cmake")
    machine.tool("id", "echo 1000")
    result = machine.run("train")
    assert result.returncode == 1
    assert "have an administrator run: apt-get install cmake libfmt-dev" in result.stderr
    assert machine.calls("apt-get") == []


def test_without_network_it_says_what_is_missing(machine):
    machine.absent("libfmt-dev")
    machine.tool("apt-get", "exit 100")
    result = machine.run("train")
    assert result.returncode == 1
    assert "still to be installed: libfmt-dev" in result.stderr
    assert machine.calls("cmake") == []


def test_another_system_is_told_what_to_install(machine):
    machine.os_release.write_text("ID=fedora\n")
    machine.tool("g++", "exit 1")
    result = machine.run("train")
    assert result.returncode == 1
    assert "cannot install on this system" in result.stderr
    assert "CMake 3.25" not in result.stderr
    assert "Ninja" in result.stderr and "oneDNN" in result.stderr
    assert machine.calls("apt-get") == []


def test_another_system_with_everything_builds(machine):
    machine.os_release.write_text("ID=fedora\n")
    machine.tool("fc-list", "echo DejaVu")
    for name in ("g++", "ninja", "pkg-config"):
        machine.tool(name)
    result = machine.run("train")
    assert result.returncode == 0, result.stderr
    assert "<train>" in result.stdout


def test_tests_need_more_than_training(machine):
    machine.absent("all")
    machine.tool("id", "echo 1000")
    result = machine.run("test")
    assert result.returncode == 1
    for package in PRODUCT | TESTS_ONLY:
        assert f"  {package} " in result.stderr


@pytest.fixture
def attn_bench(machine):
    program = machine.root / "build/bench/tests/bench/attn_bench"
    program.parent.mkdir(parents=True)
    machine.script(program, 'printf "<%s>" "$@"; echo; echo "library path ${LD_LIBRARY_PATH:-none}"')


@pytest.mark.parametrize("compiler, gpu", [(False, False), (False, True), (True, False), (True, True)])
def test_bench_runs_on_what_there_is(machine, attn_bench, compiler, gpu):
    if compiler:
        machine.tool("nvcc")
    machine.tool("nvidia-smi", "" if gpu else "exit 9")
    result = machine.run("bench", "--benchmark_filter=pooling", "two words")
    assert result.returncode == 0, result.stderr
    cuda = "ON" if compiler else "OFF"
    assert machine.calls("cmake") == [["--preset", "bench", f"-DATTN_CUDA={cuda}"], ["--build", "--preset", "bench"]]
    stand_in = f"{machine.root}/build/bench/vgpu/lib" if compiler and not gpu else "none"
    assert result.stdout.splitlines() == ["<--benchmark_filter=pooling><two words>", f"library path {stand_in}"]


def test_bench_installs_what_it_needs(machine, attn_bench):
    machine.absent("libbenchmark-dev", "clang-14")
    assert machine.run("bench").returncode == 0
    assert machine.installed() == {"libbenchmark-dev"}


def test_failed_build_does_not_run_the_benchmarks(machine, attn_bench):
    machine.tool("cmake", "exit 1")
    result = machine.run("bench")
    assert result.returncode != 0
    assert "could not build attn_bench" in result.stderr
    assert result.stdout == ""


@pytest.fixture
def wanted(machine):
    """What python_bench asks of the Python environment."""
    path = machine.root / "python_bench/requirements-test.txt"
    path.parent.mkdir()
    path.write_text("numpy==1\n")
    machine.script(machine.tools / "made-python", f'echo "pip $*" >>"{machine.log}"')
    machine.tool("python3", f'mkdir -p "${{@: -1}}/bin" && cp "{machine.tools}/made-python" "${{@: -1}}/bin/python"')
    for name in ("find", "xargs", "clang-format-14"):
        machine.tool(name)
    machine.tool("shellcheck", "exit 1")  # ends the tests early
    for name in ("cmp", "cp", "mkdir"):
        (machine.tools / name).symlink_to(shutil.which(name))
    return path


def test_python_environment_is_made_once(machine, wanted):
    def made():
        machine.run("test")
        return machine.calls("python3"), [call for call in machine.calls("pip") if "install" in call]

    python3, pip = made()
    assert len(python3) == len(pip) == 1
    assert str(wanted) in " ".join(pip[0])
    assert made() == ([], [])
    wanted.write_text("numpy==2\n")
    python3, pip = made()
    assert len(python3) == len(pip) == 1


def test_failed_pip_is_tried_again(machine, wanted):
    machine.script(machine.tools / "made-python", '[[ $* != *install* ]]')
    for _ in range(2):
        result = machine.run("test")
        assert result.returncode == 1
        assert "pip could not install them" in result.stderr
        assert len(machine.calls("python3")) == 1


def test_failed_stage_ends_the_tests(machine, wanted):
    result = machine.run("test")
    assert result.returncode == 1
    assert "style of shell scripts: failed" in result.stderr
    assert machine.calls("cmake") == []


@pytest.mark.parametrize("arguments, action", [([], "-i"), (["--check"], "--dry-run --Werror")])
def test_format_takes_our_sources_alone(machine, arguments, action):
    for name in ("find", "xargs"):
        (machine.tools / name).symlink_to(shutil.which(name))
    machine.tool("clang-format-14")
    for name in ("host/a.cpp", "tests/data/b.h", "build/dev/generated.cpp", ".venv/c.h", "host/notes.txt"):
        source = machine.root / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.touch()
    assert machine.run("format", *arguments).returncode == 0
    (call,) = machine.calls("clang-format-14")
    assert call[: len(action.split())] == action.split()
    assert sorted(call[len(action.split()):]) == ["./host/a.cpp", "./tests/data/b.h"]


def test_the_cuda_compiler_on_the_path_comes_first(machine):
    machine.usual_nvcc.parent.mkdir()
    machine.script(machine.usual_nvcc, "")
    assert machine.run("nvcc").stdout == f"{machine.usual_nvcc}\n"
    machine.tool("nvcc")
    assert machine.run("nvcc").stdout == f"{machine.tools}/nvcc\n"


@pytest.fixture
def compiler(machine, wanted):
    """What is asked for where no CUDA compiler is found; pip unpacks one."""
    path = machine.root / "kernels/requirements.txt"
    path.parent.mkdir()
    path.write_text("nvidia-cuda-nvcc==1\n")
    for name in ("rm", "ln"):
        (machine.tools / name).symlink_to(shutil.which(name))
    machine.script(machine.tools / "made-python", f'echo "pip $*" >>"{machine.log}"\n'
                   f'[[ $* != *--target* ]] || mkdir -p "{machine.root}/.deps/cuda/nvidia/cu13/lib"')
    return path


def test_a_cuda_compiler_is_fetched_once(machine, compiler):
    def fetched():
        result = machine.run("nvcc")
        assert result.stdout == f"{machine.root}/.deps/cuda/nvidia/cu13/bin/nvcc\n", result.stderr
        return [call for call in machine.calls("pip") if "--target" in call]

    (call,) = fetched()
    assert str(compiler) in " ".join(call)
    assert (machine.root / ".deps/cuda/nvidia/cu13/lib/libcudart.so").is_symlink()
    assert fetched() == []
    compiler.write_text("nvidia-cuda-nvcc==2\n")
    assert len(fetched()) == 1


def test_a_fetch_that_failed_is_tried_again(machine, compiler):
    machine.script(machine.tools / "made-python", f'echo "pip $*" >>"{machine.log}"\n[[ $* != *--target* ]]')
    for _ in range(2):
        result = machine.run("nvcc")
        assert result.returncode == 1
        assert "pip could not install a CUDA compiler" in result.stderr
        assert [call for call in machine.calls("pip") if "--target" in call]


@pytest.mark.parametrize("arguments, cuda", [([], "ON"), (["--no-cuda"], "OFF")])
def test_tests_build_cuda_unless_told_not_to(machine, compiler, arguments, cuda):
    machine.tool("shellcheck")
    machine.tool("cmake", "exit 1")  # ends the tests early
    result = machine.run("test", *arguments)
    assert result.returncode == 1
    assert machine.calls("cmake") == [["--preset", "dev", f"-DATTN_CUDA={cuda}"]]
    assert ("left out: CUDA" in result.stderr) == (cuda == "OFF")
    assert bool([call for call in machine.calls("pip") if "--target" in call]) == (cuda == "ON")

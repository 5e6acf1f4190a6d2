# SPDX-License-Identifier: Apache-2.0
"""The commands of bootstrap.sh on the simulated machine of conftest.py: what they install, build and run."""
import shutil

import pytest

PRODUCT = {"g++", "cmake", "ninja-build", "libdnnl-dev", "libhwy-dev", "libarchive-dev", "libpango1.0-dev"}
TESTS_ONLY = {"clang-format-14", "libgtest-dev", "python3-venv", "shellcheck"}
ALL_TESTS_ONLY = {"clang-14", "clang-tidy-14", "curl"}


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
    assert machine.installed() >= PRODUCT
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
    assert machine.calls("cmake") == [["--preset", "release", "-DATTN_CUDA=OFF"], ["--build", "--preset", "release"]]
    assert result.stdout.splitlines() == ["<train><--epochs><2><--data><my texts>", f"in {machine.elsewhere}", "IMDB none"]


@pytest.mark.parametrize("compiler, gpu, arguments, cuda", [
    (True, False, [], "OFF"),
    (True, False, ["--device", "cpu"], "OFF"),
    (True, False, ["--epochs", "2", "--device", "cuda"], "ON"),
    (True, False, ["--device=cuda", "--epochs", "2"], "ON"),
    (True, True, [], "ON"),
    (False, True, [], "OFF"),
    (False, False, ["--device", "cuda"], "OFF"),
])
def test_train_builds_cuda_where_a_gpu_is_found_or_asked_for(machine, compiler, gpu, arguments, cuda):
    if compiler:
        machine.tool("nvcc")
    machine.tool("nvidia-smi", "" if gpu else "exit 9")
    assert machine.run("train", *arguments).returncode == 0
    assert machine.calls("cmake")[0] == ["--preset", "release", f"-DATTN_CUDA={cuda}"]


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
    assert machine.calls("cmake")[0] == ["--fresh", "--preset", "release", "-DATTN_CUDA=OFF"]
    cache.write_text(f"CMAKE_HOME_DIRECTORY:INTERNAL={machine.root}\n")
    assert machine.run("train").returncode == 0
    assert machine.calls("cmake")[0] == ["--preset", "release", "-DATTN_CUDA=OFF"]


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
    for package in ALL_TESTS_ONLY:
        assert f"  {package} " not in result.stderr
    result = machine.run("test", "--all")
    assert result.returncode == 1
    for package in PRODUCT | TESTS_ONLY | ALL_TESTS_ONLY:
        assert f"  {package} " in result.stderr


@pytest.mark.parametrize("arguments, message", [
    (["--fast"], "test: expected --all, --no-cuda or --gpu, got --fast"),
    (["--gpu", "--no-cuda"], "test: expected --gpu alone, got --gpu --no-cuda"),
    (["--all", "--gpu"], "test: expected --gpu alone, got --all --gpu"),
])
def test_unknown_extents_of_the_tests_are_refused(machine, arguments, message):
    result = machine.run("test", *arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert machine.log.read_text() == ""


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
    """The Python packages that python_bench requires."""
    path = machine.root / "python_bench/requirements-test.txt"
    path.parent.mkdir()
    path.write_text("numpy==1\n")
    path.with_name("requirements-lint.txt").write_text("ruff==1\n")
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


def test_linters_are_added_to_the_python_environment(machine, wanted):
    def installs(*arguments):
        machine.run("test", *arguments)
        return [call for call in machine.calls("pip") if "install" in call]

    assert len(installs()) == 1
    (lint,) = installs("--all")
    assert str(wanted.with_name("requirements-lint.txt")) in " ".join(lint)
    assert installs("--all") == installs() == []


def test_a_file_that_is_too_long_fails_the_style(machine, wanted):
    for name in ("find", "xargs"):
        (machine.tools / name).unlink()
    for name in ("find", "xargs", "awk"):
        (machine.tools / name).symlink_to(shutil.which(name))
    machine.tool("shellcheck")
    machine.tool("cmake", "exit 1")  # ends the tests early
    source = machine.root / "host/long.cpp"
    source.parent.mkdir()
    for lines, fails in ((400, False), (401, True)):
        source.write_text("//\n" * lines)
        result = machine.run("test", "--no-cuda")
        assert result.returncode == 1
        assert ("./host/long.cpp: expected at most 400 lines, got more" in result.stderr) == fails
        assert (machine.calls("cmake") == []) == fails


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
    """The package that is requested if no CUDA compiler is found; the fake pip unpacks one."""
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


@pytest.mark.parametrize("arguments, preset, cuda", [
    ([], "quick", "ON"),
    (["--no-cuda"], "quick", "OFF"),
    (["--all"], "dev", "ON"),
    (["--no-cuda", "--all"], "dev", "OFF"),
])
def test_tests_build_cuda_unless_told_not_to(machine, compiler, arguments, preset, cuda):
    machine.tool("shellcheck")
    machine.tool("cmake", "exit 1")  # ends the tests early
    result = machine.run("test", *arguments)
    assert result.returncode == 1
    assert machine.calls("cmake") == [["--preset", preset, f"-DATTN_CUDA={cuda}"]]
    assert ("left out: CUDA" in result.stderr) == (cuda == "OFF")
    assert bool([call for call in machine.calls("pip") if "--target" in call]) == (cuda == "ON")

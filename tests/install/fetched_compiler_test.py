# SPDX-License-Identifier: Apache-2.0
"""Simulates a machine without a CUDA toolkit: bootstrap.sh fetches a compiler, the compiler builds the library, and the
kernels run on the virtual GPU of the build `dev`."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VGPU = ROOT / "build/dev/vgpu/lib"


@pytest.fixture
def environment():
    """The environment without anything that points to an installed toolkit."""
    folders = [folder for folder in os.environ["PATH"].split(":") if not pathlib.Path(folder, "nvcc").exists()]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA", "CMAKE_"))}
    return kept | {"PATH": ":".join(folders), "ATTN_NVCC": "/no/such/nvcc"}


@pytest.fixture
def compiler(tmp_path, environment):
    """The compiler that bootstrap.sh fetches, in a folder with copies of the files that it reads."""
    for file in ("bootstrap.sh", "kernels/requirements.txt", "python_bench/requirements-test.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    fetched = subprocess.run([tmp_path / "bootstrap.sh", "nvcc"], env=environment, capture_output=True, text=True)
    if "pip could not install" in fetched.stderr and "CI" not in os.environ:
        pytest.skip(f"the compiler could not be fetched: {fetched.stderr}")
    assert fetched.returncode == 0, fetched.stderr
    path = pathlib.Path(fetched.stdout.strip())
    assert path == tmp_path / ".deps/cuda/nvidia/cu13/bin/nvcc"
    return path


def test_builds_kernels_that_run(tmp_path, environment, compiler):
    if not (VGPU / "libcudart.so.13").exists():
        pytest.skip(f"there is no virtual GPU in {VGPU}: the build dev is without CUDA")
    environment |= {"CUDACXX": str(compiler), "CUDAToolkit_ROOT": str(compiler.parents[1])}
    build = tmp_path / "build"

    def run(*command):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", f"-DATTN_VGPU={VGPU}",
        "-DCMAKE_CUDA_ARCHITECTURES=90-virtual", "-DATTN_CUDA=ON", "-DATTN_CUDNN=OFF", "-DATTN_ENCODER=OFF",
        "-DATTN_BENCHMARKS=OFF")
    cache = (build / "CMakeCache.txt").read_text()
    assert "/usr/local/cuda" not in cache
    run("cmake", "--build", build, "--target", "parity_pooling_test")
    environment["LD_LIBRARY_PATH"] = str(VGPU)
    said = run(build / "tests/parity_pooling_test", "--gtest_filter=*EveryLengthIsT/cuda_fp32*")
    assert "Virtual GPU" in said
    assert "[  PASSED  ]" in said and "[  PASSED  ] 0 tests" not in said

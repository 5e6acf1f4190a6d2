#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Does all the set-up that a verb needs, then runs it; see usage below.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
archive=$root/data/aclImdb_v1.tar.gz
data_url=${ATTN_DATA_URL:-https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz}
data_sha256=${ATTN_DATA_SHA256:-c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe}

usage() {
  cat <<'END'
usage: ./bootstrap.sh VERB

  train [OPTIONS]    build attn_train and train the text classifier; OPTIONS go to `attn_train train`,
                     such as --help. Without IMDB (see data) it trains on generated reviews. CUDA is built
                     where there is a GPU, or where OPTIONS have --device cuda. To replace the last run, add --overwrite.
  data               fetch the IMDB reviews (84 MB) to data/, where train finds them; resumes
  test               style, the build, and the tests of the libraries, the trainer and the Python package; CUDA
                     kernels run on a virtual GPU
  test --all         everything that CI runs: also several virtual GPUs and their own tests, mutants, clang
                     with sanitizers, fuzzing, clang-tidy, linters of Python, the set-up
  test --no-cuda     leaves out all that needs a CUDA compiler; with --all too
  test --gpu         the CUDA kernels on the GPU of this machine
  bench [OPTIONS]    build attn_bench and run it: times on the CPU and on a GPU, and where there is a CUDA compiler but no
                     GPU, counts on a virtual one; OPTIONS go to it, such as --benchmark_filter=pooling
                     and --benchmark_format=json
  nvcc               name the CUDA compiler that these use
  format [--check]   format the C, C++ and CUDA sources, or only say which are not
  help               this text

Each verb first sets up what it needs, on Debian 12: packages through apt-get, as root or with sudo,
naming each before it is installed, and for test a Python environment in .venv and, for CUDA where no
nvcc is found, a compiler in .deps. Where nothing is missing it needs neither network nor rights. On
other systems it says what to install.

ATTN_IMDB=FILE       an IMDB archive or folder elsewhere, for train and test
CUDACXX=FILE         the CUDA compiler to use
END
}

# ---- what is needed: Debian package | how another system shows that it has it | what it is -------------------------

build_needs=(
  "g++|tool g++|a C++17 compiler"
  "cmake|tool cmake|CMake 3.25 or newer, the build system"
  "ninja-build|tool ninja|Ninja, which runs the build"
  "pkg-config|tool pkg-config|pkg-config, which finds libraries"
  "libdnnl-dev|header oneapi/dnnl/dnnl.h|oneDNN: matrix products and LSTM"
  "ocl-icd-opencl-dev|header CL/cl.h|OpenCL headers, which oneDNN's CMake package asks for"
  "libhwy-dev|header hwy/highway.h|Highway: portable SIMD"
  "libcli11-dev|header CLI/CLI.hpp|CLI11: command lines"
  "nlohmann-json3-dev|header nlohmann/json.hpp|JSON for Modern C++"
  "libfmt-dev|header fmt/format.h|fmt: formatted text"
  "libutfcpp-dev|header utf8.h|UTF8-CPP: checked text"
  "libarchive-dev|header archive.h|libarchive: reads the IMDB archive"
  "zlib1g-dev|header zlib.h|zlib: reads gzip files"
  "libxxhash-dev|header xxhash.h|xxHash: checksums"
  "libcairo2-dev|header cairo/cairo.h|cairo: the picture that attn_train explain draws"
  "libpango1.0-dev|header pango-1.0/pango/pango.h|Pango: text in that picture"
  "fonts-dejavu-core|font|a font for that picture"
)
format_needs=(
  "clang-format-14|tool clang-format-14|the source formatter, version 14"
)
data_needs=(
  "curl|tool curl|curl: downloads"
  "ca-certificates|true|certificates of web servers"
)
bench_needs=(
  "libgtest-dev|header gtest/gtest.h|GoogleTest"
  "libbenchmark-dev|header benchmark/benchmark.h|Google Benchmark"
)
test_needs=(
  "${build_needs[@]}" "${format_needs[@]}" "${bench_needs[@]}"
  "libgmock-dev|header gmock/gmock.h|GoogleMock"
  "python3|tool python3|Python, for tests"
  "python3-venv|tool python3|Python's virtual environments"
  "shellcheck|tool shellcheck|checks shell scripts"
)
all_test_needs=(
  "${test_needs[@]}" "${data_needs[@]}"
  "clang-14|tool clang++-14|the second compiler, version 14"
  "clang-tidy-14|tool clang-tidy-14|static analysis by the second compiler"
  "libomp-14-dev|true|OpenMP of the second compiler"
  "libclang-rt-14-dev|true|sanitizers and fuzzer of the second compiler"
)

# ---- set-up --------------------------------------------------------------------------------------------------------

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
tool() { command -v "$1" >/dev/null; }
header() { g++ -E -x c++ - <<<"#include <$1>" >/dev/null 2>&1; }
font() { fc-list 2>/dev/null | grep --quiet .; }

debian_like() (
  ID='' ID_LIKE=''
  # shellcheck source=/dev/null
  . "${ATTN_OS_RELEASE:-/etc/os-release}" 2>/dev/null || true
  [[ " $ID $ID_LIKE " == *" debian "* ]] && tool apt-get && tool dpkg-query
)

# Prints those of the needs that the system does not have.
missing() {
  local need package probe installed
  if debian_like; then
    installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${@%%|*}" 2>/dev/null || true)
    for need; do
      grep --quiet --line-regexp --fixed-strings "installed ${need%%|*}" <<<"$installed" || printf '%s\n' "$need"
    done
  else
    for need; do
      IFS='|' read -r package probe _ <<<"$need"
      $probe || printf '%s\n' "$need"
    done
  fi
}

install_packages() {
  local as_root=()
  debian_like || fail "cannot install on this system: install the above (the names are Debian's), then run this again"
  if (($(id -u) != 0)); then
    tool sudo || fail "neither root nor sudo: have an administrator run: apt-get install $*"
    as_root=(sudo)
  fi
  say "running: ${as_root[*]:+sudo }apt-get install $*"
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  "${as_root[@]}" apt-get update >&2 || say "apt-get update failed, going on with the package lists that are here"
  "${as_root[@]}" apt-get install --yes --no-install-recommends "$@" >&2 ||
    fail "apt-get failed, see above; still to be installed: $*"
}

require() {
  local needs=() need package what
  mapfile -t needs < <(missing "$@")
  ((${#needs[@]})) || return 0
  say "not on this system yet:"
  for need in "${needs[@]}"; do
    IFS='|' read -r package _ what <<<"$need"
    printf '  %-20s %s\n' "$package" "$what" >&2
  done
  install_packages "${needs[@]%%|*}"
}

# Makes .venv with the packages that the tests need, and adds those of the linters where asked for.
require_python() { # [lint]
  local wanted=$root/python_bench/requirements-test.txt made=$root/.venv/requirements.txt
  if ! cmp --silent "$wanted" "$made" || ! "$root/.venv/bin/python" -c ''; then
    say "making the Python environment .venv with what $wanted lists"
    python3 -m venv --clear "$root/.venv" || fail "could not make the Python environment, see above"
    pip_install "$wanted" "$made"
  fi
  [[ ${1:-} == lint ]] || return 0
  wanted=$root/python_bench/requirements-lint.txt made=$root/.venv/requirements-lint.txt
  if ! cmp --silent "$wanted" "$made"; then
    say "adding to .venv what $wanted lists"
    pip_install "$wanted" "$made"
  fi
}

pip_install() { # REQUIREMENTS COPY, which is made once they are installed
  "$root/.venv/bin/python" -m pip install --quiet --requirement "$1" || fail "pip could not install them, see above"
  cp "$1" "$2"
}

# Sets CUDACXX to the compiler named there, on the PATH, or in its usual place.
find_nvcc() {
  local usual=${ATTN_NVCC:-/usr/local/cuda/bin/nvcc}
  if [[ -z ${CUDACXX:-} ]]; then
    if tool nvcc; then
      CUDACXX=$(command -v nvcc)
    elif [[ -x $usual ]]; then
      CUDACXX=$usual
    else
      return 1
    fi
  fi
  export CUDACXX
}

# Likewise, or to one that it fetches to .deps.
require_nvcc() {
  local deps=$root/.deps/cuda wanted=$root/kernels/requirements.txt
  local fetched=$deps/nvidia/cu13
  find_nvcc && return
  if ! cmp --silent "$wanted" "$deps/requirements.txt"; then
    require_python
    say "no CUDA compiler on this system: fetching one to .deps with what $wanted lists"
    rm -rf "$deps"
    "$root/.venv/bin/python" -m pip install --quiet --target "$deps" --requirement "$wanted" ||
      fail "pip could not install a CUDA compiler, see above"
    ln -s libcudart.so.13 "$fetched/lib/libcudart.so"
    cp "$wanted" "$deps/requirements.txt"
  fi
  export CUDACXX=$fetched/bin/nvcc CUDAToolkit_ROOT=$fetched
}

build() { # PRESET [CMAKE_OPTIONS]
  local cache=$root/build/$1/CMakeCache.txt fresh=()
  # CMake refuses a build folder that was moved together with its sources.
  if [[ -f $cache ]] && ! grep --quiet --line-regexp --fixed-strings "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    fresh=(--fresh)
  fi
  (cd "$root" && cmake "${fresh[@]}" --preset "$1" "${@:2}" && cmake --build --preset "$1")
}

# ---- verbs ---------------------------------------------------------------------------------------------------------

has_gpu() { tool nvidia-smi && nvidia-smi --list-gpus >/dev/null 2>&1; }

# Compiling kernels takes longer than all the rest, so they are left out where nothing could run them.
cuda_for_training() { # OPTIONS
  if { has_gpu || [[ " $* " =~ \ --device[\ =]cuda\  ]]; } && find_nvcc; then
    cuda=ON
  else
    cuda=OFF
  fi
}

train() {
  local cuda
  require "${build_needs[@]}"
  cuda_for_training "$@"
  build release -DATTN_CUDA="$cuda" >&2 || fail "could not build attn_train, see above"
  if [[ -z ${ATTN_IMDB:-} && -f $archive ]]; then
    export ATTN_IMDB=$archive
  fi
  exec "$root/build/release/host/classifier/attn_train" train "$@"
}

is_right() { # FILE
  [[ -f $1 && $(sha256sum <"$1") == "$data_sha256  -" ]]
}

# Downloads to $1, going on where an earlier try broke off.
download() {
  local progress=(--silent --show-error) status try
  [[ ! -t 2 ]] || progress=(--progress-bar)
  for try in 1 2 3 4 5; do
    status=0
    curl --fail --location "${progress[@]}" --connect-timeout 20 --speed-limit 1000 --speed-time 60 \
      --continue-at - --output "$1" "$data_url" || status=$?
    ((status != 0)) || return 0
    # 33: this server cannot resume.
    ((status != 33)) || rm -f "$1"
    ((try == 5)) || sleep "$try"
  done
  fail "could not fetch $data_url; what has come is kept, run this again to go on"
}

fetch_data() {
  local part=$archive.part
  if [[ -f $archive ]]; then
    is_right "$archive" || fail "$archive is not the official archive (SHA-256 differs): move it away, then run this again"
    say "already there: $archive"
    return
  fi
  require "${data_needs[@]}"
  mkdir -p "${archive%/*}"
  is_right "$part" || download "$part"
  if ! is_right "$part"; then
    mv "$part" "$archive.refused"
    fail "expected SHA-256 $data_sha256, got another: kept as $archive.refused. Run this again to fetch it anew; if that
is refused too, the server's file has changed or something on the way changes it"
  fi
  mv "$part" "$archive"
  say "done: $archive"
}

format() {
  local action=(-i)
  case ${1:-} in
    '') ;;
    --check) action=(--dry-run --Werror) ;;
    *) fail "format: expected --check or nothing, got $1" ;;
  esac
  require "${format_needs[@]}"
  cd "$root"
  find . \( -path './.*' -o -path './build*' \) -prune -o -regex '.*\.\(c\|h\|cpp\|hpp\|cu\|cuh\)' -print0 |
    xargs -0 clang-format-14 "${action[@]}"
}

bench() {
  local cuda=OFF
  require "${build_needs[@]}" "${bench_needs[@]}"
  if find_nvcc || [[ -d $root/.deps/cuda ]]; then
    require_nvcc
    cuda=ON
  fi
  build bench -DATTN_CUDA=$cuda >&2 || fail "could not build attn_bench, see above"
  if [[ $cuda == ON ]] && ! has_gpu; then
    export LD_LIBRARY_PATH=$root/build/bench/vgpu/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  fi
  exec "$root/build/bench/tests/bench/attn_bench" "$@"
}

verb=${1:-}
case $verb in
  train) train "${@:2}" ;;
  data) fetch_data ;;
  test)
    # shellcheck source=tests/stages.sh
    . "$root/tests/stages.sh"
    run_tests "${@:2}"
    ;;
  bench) bench "${@:2}" ;;
  nvcc)
    require_nvcc
    printf '%s\n' "$CUDACXX"
    ;;
  format) format "${@:2}" ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac

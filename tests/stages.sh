# SPDX-License-Identifier: Apache-2.0
#
# The stages of `bootstrap.sh test`, which sources this file.
# shellcheck disable=SC2154,SC2164 # bootstrap.sh sets the variables, and errexit

stage() { # TITLE COMMAND...
  local start=$SECONDS
  printf '\n==== %s\n' "$1"
  "${@:2}" || fail "$1: failed after $((SECONDS - start)) s"
  printf '==== %s: done in %d s\n' "$1" $((SECONDS - start))
}

run_tests() {
  local cuda=ON extent=quick option
  for option; do
    case $option in
      --all) [[ $extent == gpu ]] || extent=all ;;
      --no-cuda) cuda=OFF ;;
      --gpu) extent=gpu ;;
      *) fail "test: expected --all, --no-cuda or --gpu, got $option" ;;
    esac
  done
  [[ $extent != gpu || $# == 1 ]] || fail "test: expected --gpu alone, got $*"
  cd "$root"
  "run_${extent}_tests" "$cuda"
}

style() {
  stage "style of sources" format --check
  stage "style of shell scripts" shellcheck --external-sources --shell=bash bootstrap.sh .ci/run tests/*.sh tests/install/*.sh
  stage "length of sources" short_files
}

short_files() {
  local long
  long=$(find . \( -path './.*' -o -path './build*' \) -prune -o -type f \
    -regex '.*\.\(c\|h\|cpp\|hpp\|cu\|cuh\|py\|sh\|cmake\|md\)\|.*/CMakeLists.txt' -print0 |
    xargs -0 awk 'FNR == 401 { print FILENAME ": expected at most 400 lines, got more" }')
  [[ -z $long ]] || fail "$long"
}

python_style() {
  local ruff=("$root/.venv/bin/python" -m ruff check)
  # Long lines and zip() without strict are allowed. Cached methods cannot leak, since their objects live as long as the
  # program.
  "${ruff[@]}" python_bench && "${ruff[@]}" --config python_bench/pyproject.toml --ignore E501,B019,B905 tests
}

require_cuda() { # ON or OFF
  if [[ $1 == ON ]]; then
    require_nvcc
  else
    say "left out: CUDA"
  fi
}

python_tests() { # BUILD
  stage "tests of the Python package" env ATTN_CUDA_LIBRARY_DIR="$root/build/$1/host" "$root/.venv/bin/python" -m pytest \
    python_bench
}

run_quick_tests() { # CUDA: ON or OFF
  require "${test_needs[@]}"
  require_python
  style
  require_cuda "$1"
  stage "build, warnings as errors" build quick -DATTN_CUDA="$1"
  stage "tests" ctest --preset quick
  python_tests quick
}

run_all_tests() { # CUDA: ON or OFF
  local python=$root/.venv/bin/python
  require "${all_test_needs[@]}"
  require_python lint
  style
  stage "style of Python" python_style
  stage "types of the Python package" env -C python_bench "$python" -m mypy --python-executable "$python"
  stage "spelling" "$python" -m codespell_lib
  require_cuda "$1"
  stage "build, warnings as errors" build dev -DATTN_CUDA="$1"
  stage "tests" env ATTN_REQUIRE_NVDISASM=1 ctest --preset dev # require_python installed it
  stage "clang, warnings as errors, with sanitizers" build asan -DATTN_CUDA="$1"
  stage "clang-tidy" tidy
  stage "tests under sanitizers" ctest --preset asan
  stage "tests of the set-up" "$python" -m pytest tests/install
  python_tests dev
}

# Checks the C API and what it is built on. The headers of Highway and oneDNN cost clang-tidy minutes in the other sources.
tidy() {
  find host/api host/base host/encoder/{api,base,plan} -name '*.cpp' -print0 |
    xargs -0 --max-args 4 --max-procs "$(nproc)" clang-tidy-14 --quiet -p build/asan --warnings-as-errors='*'
}

# Runs the same test programs as on the virtual GPU, and accepts nothing but a real GPU.
run_gpu_tests() {
  require "${test_needs[@]}"
  require_nvcc
  export ATTN_REQUIRE_GPU=1
  stage "g++ and nvcc, warnings as errors" build gpu
  stage "tests on the GPU" ctest --preset gpu
  if tool compute-sanitizer; then
    local checked program
    for checked in memcheck racecheck initcheck synccheck; do
      for program in parity_additive parity_additive_numerics parity_pooling parity_pooling_numerics encoder_embedding \
        encoder_layers; do
        stage "$program under compute-sanitizer $checked" compute-sanitizer --tool "$checked" --error-exitcode 1 \
          "$root/build/gpu/tests/${program}_test" --gtest_filter='*cuda*'
      done
    done
  else
    say "left out: compute-sanitizer is not installed"
  fi
}

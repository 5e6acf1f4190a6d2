# SPDX-License-Identifier: Apache-2.0
# Usage: missing_call_test.sh PROGRAM FOLDER
# PROGRAM refers to calls which the stand-in for the CUDA runtime in FOLDER lacks. It must not load, unless VGPU_MISSING
# allows a call to be missing until it is made.
export LD_LIBRARY_PATH="$2"

fail() {
  echo "$1"
  exit 1
}

output=$("$1" 2>&1)
status=$?
[ $status -eq 127 ] || fail "expected status 127, got $status: $output"
for name in cudaFreeArray cudaIpcCloseMemHandle; do
  echo "$output" | grep -q "missing_call refers to $name, which the stand-in for libcudart.so.13 does not have" ||
    fail "expected $name to be named, got: $output"
done

output=$(VGPU_MISSING=call "$1" 2>&1) || fail "expected the program to load, got: $output"
[ "$output" = cudaSuccess ] || fail "expected cudaSuccess, got: $output"
output=$(VGPU_MISSING=call "$1" calls 2>&1)
echo "$output" | grep -q "cudaFreeArray.* is not modelled" || fail "expected the call to be refused, got: $output"
echo "$output" | grep -q cudaErrorNotSupported || fail "expected cudaErrorNotSupported, got: $output"

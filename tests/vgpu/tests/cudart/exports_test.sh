# SPDX-License-Identifier: Apache-2.0
# exports_test.sh CUDART STAND_IN: fails if the CUDA runtime exports a symbol that the stand-in does not export.
exports() {
  nm -D --defined-only --format=posix "$1" | awk '{ print $1 }' | LC_ALL=C sort -u
}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
exports "$1" > "$work/cudart"
exports "$2" > "$work/stand_in"
test -s "$work/cudart" || exit 1
echo "exported by the CUDA runtime alone:"
! LC_ALL=C comm -23 "$work/cudart" "$work/stand_in" | grep .

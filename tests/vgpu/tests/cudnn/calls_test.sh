# SPDX-License-Identifier: Apache-2.0
# calls_test.sh PROGRAM STAND_IN_FOLDER REAL_FOLDER: fails if cuDNN and the stand-in give different answers to one of
# the program's calls. It exits with status 77 if cuDNN is not available for comparison.
program=$1 stand_in=$2 real=$3
if [ ! -e "$real/libcudnn.so.9" ]; then
  echo "skipped: there is no libcudnn.so.9 in '$real' to compare with"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
LD_LIBRARY_PATH=$real "$program" > "$work/real" || { echo "the program failed on the real library"; exit 1; }
grep -q "^version 919" "$work/real" || {
  echo "skipped: $(head -1 "$work/real"); the stand-in answers as 9.19 does"
  exit 77
}
LD_LIBRARY_PATH=$stand_in "$program" > "$work/stand_in" || { echo "the program failed on the stand-in"; exit 1; }
test -s "$work/real" || exit 1
echo "$(wc -l < "$work/real") answers of the real library; lines of it (-) and of the stand-in (+) that differ:"
diff -U 0 "$work/real" "$work/stand_in"

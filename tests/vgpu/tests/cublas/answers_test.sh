# SPDX-License-Identifier: Apache-2.0
# answers_test.sh PROGRAM REAL STAND_IN: runs the program with the libraries in each of the two folders, and fails if
# the outputs differ.
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
LD_LIBRARY_PATH="$2" "$1" > "$work/real" || exit 1
LD_LIBRARY_PATH="$3" "$1" > "$work/stand_in" || exit 1
test -s "$work/real" || exit 1
echo "< the library answers, > the stand-in answers:"
diff "$work/real" "$work/stand_in"

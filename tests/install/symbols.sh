# SPDX-License-Identifier: Apache-2.0
# symbols.sh LIBRARY LIST: fails for any exported symbol that the list lacks, and for any it has too many.
echo "-: exported, not in the list; +: in the list, not exported"
nm -D --defined-only --format=posix "$1" | awk '{ print $1 }' | LC_ALL=C sort | diff -U0 - "$2"

# SPDX-License-Identifier: Apache-2.0
# symbols.sh LIBRARY LIST: fails if the library exports a symbol that is not in the list, or lacks one that is.
echo "-: exported, not in the list; +: in the list, not exported"
nm -D --defined-only --format=posix "$1" | awk '{ print $1 }' | LC_ALL=C sort | diff -U0 - "$2"

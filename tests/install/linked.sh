# SPDX-License-Identifier: Apache-2.0
# linked.sh LIBRARY ALLOWED: fails if the library links any other than the ALLOWED ones (a regular expression for their
# names without .so), or if it has an RPATH, which unlike a RUNPATH would take precedence over the user's library path.
dynamic=$(readelf --dynamic --wide "$1")
if grep '(RPATH)' <<<"$dynamic"; then
  echo "RPATH where RUNPATH was expected"
  exit 1
fi
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")
[[ -n $needed ]]
if grep --invert-match --extended-regexp "^($2)(-[0-9.]+)?\.so" <<<"$needed"; then
  echo "linked, but not among $2"
  exit 1
fi

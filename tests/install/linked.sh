# SPDX-License-Identifier: Apache-2.0
# linked.sh LIBRARY ALLOWED: fails where the library links others than ALLOWED (an expression for their names
# without .so), or has an RPATH, which unlike a RUNPATH would go before the user's library path.
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

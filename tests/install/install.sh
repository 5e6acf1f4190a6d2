# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD PREFIX [COMPONENT]: installs to another folder and then moves the tree, since it must be relocatable.
rm -rf "$2" "$2.first"
cmake --install "$1" --prefix "$2.first" ${3:+--component "$3"}
mv "$2.first" "$2"
if grep --recursive --fixed-strings "$2.first" "$2"; then
  echo "the files above name the prefix that they were installed to"
  exit 1
fi
if [[ -x $2/bin/attn_train ]]; then
  "$2/bin/attn_train" --help
fi

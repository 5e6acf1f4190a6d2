# SPDX-License-Identifier: Apache-2.0
# pkg_config.sh SOURCES PKGCONFIG_DIR WORK ENCODER [STATIC]: builds the consumers with the options that pkg-config
# prints and runs them. Shared libraries are also tested with explicit compiler options and no pkg-config.
sources=$1 work=$3 encoder=$4 static=${5:-}
export PKG_CONFIG_PATH=$2${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
mkdir -p "$work"

consume() { # COMPILER STANDARD PACKAGE PROGRAM
  local flags libdir
  # pkg-config quotes its output for a shell, so that a prefix may contain spaces; eval removes the quotes.
  eval "flags=($(pkg-config ${static:+--static} --cflags --libs "$3"))"
  eval "libdir=$(pkg-config --variable=libdir "$3")"
  "$1" -std="$2" -Wall -Wextra -pedantic -Werror "$sources/$4" "${flags[@]}" -o "$work/${4%.*}"
  LD_LIBRARY_PATH=$libdir "$work/${4%.*}"
}

consume "$CC" c99 attn_cuda attention_c.c
consume "$CXX" c++17 attn_cuda attention_cpp.cpp
if [[ $encoder == ON ]]; then
  consume "$CC" c99 attn_cuda_encoder encoder_c.c
  consume "$CXX" c++17 attn_cuda_encoder encoder_cpp.cpp
  if [[ -z $static ]]; then
    libdir=$(dirname "$2")
    "$CXX" -std=c++17 "$sources/encoder_cpp.cpp" -I"$libdir/../include" -L"$libdir" -lattn_cuda_encoder -lattn_cuda -o "$work/plain"
    LD_LIBRARY_PATH=$libdir "$work/plain"
  fi
fi

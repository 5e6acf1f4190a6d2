# SPDX-License-Identifier: Apache-2.0
# How every target is compiled: language level, warnings, visibility, sanitizers.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# RUNPATH, so that the library path can put other libraries first.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
add_link_options(LINKER:--enable-new-dtags)

if(ATTN_CUDA)
  # Every GPU from Turing on translates one of these. Uncompressed, so that other tools than the driver can read them.
  set(CMAKE_CUDA_ARCHITECTURES 75-virtual 80-virtual 90-virtual CACHE STRING "GPUs to compile for")
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
  enable_language(CUDA)
endif()

add_library(attn_warning_flags INTERFACE)
set(attn_warnings -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
target_compile_options(attn_warning_flags INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${attn_warnings};-Wpedantic>"
                                                  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Wold-style-cast>)
if(ATTN_WERROR)
  target_compile_options(attn_warning_flags INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Werror>)
endif()
if(ATTN_CUDA)
  # Without those of the above that find nothing but what nvcc makes of a kernel for the host.
  list(JOIN attn_warnings "," attn_cuda_warnings)
  target_compile_options(attn_warning_flags INTERFACE
                         "$<$<COMPILE_LANGUAGE:CUDA>:--no-compress;-lineinfo;-Xcompiler=${attn_cuda_warnings}>")
  if(ATTN_WERROR)
    target_compile_options(attn_warning_flags INTERFACE
                           "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>")
  endif()
endif()
add_library(attn_build_flags INTERFACE)
target_link_libraries(attn_build_flags INTERFACE attn_warning_flags)
if(ATTN_SANITIZE)
  target_compile_options(attn_build_flags INTERFACE
                         "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${ATTN_SANITIZE};-fno-omit-frame-pointer>"
                         $<$<COMPILE_LANGUAGE:C,CXX>:-fno-sanitize-recover=all>)
  target_link_options(attn_build_flags INTERFACE -fsanitize=${ATTN_SANITIZE})
  # clang warns that sanitized loops cannot be vectorised.
  target_compile_options(attn_build_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-pass-failed>)
  # Sanitized vector code takes a minute to compile for each instruction set, so there is only that of this machine, at most
  # AVX2. Contraction would change the bits of code that is not vectorised.
  target_compile_options(attn_build_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-march=native;-ffp-contract=off>")
  target_compile_definitions(attn_build_flags INTERFACE HWY_COMPILE_ONLY_STATIC "HWY_DISABLED_TARGETS=(HWY_AVX3|HWY_AVX3_DL)")
endif()

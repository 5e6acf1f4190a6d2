// SPDX-License-Identifier: Apache-2.0
//
// Finds a function of vgpu.h by name, as in find_vgpu<decltype(vgpu_calls)>("vgpu_calls"). Returns null on a real GPU.
#pragma once

#include <dlfcn.h>

#include "cudart/vgpu.h"

template <class Function>
Function* find_vgpu(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

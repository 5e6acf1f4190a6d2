// SPDX-License-Identifier: Apache-2.0
//
// Finds calls that a loaded program refers to and that a stand-in lacks.
#pragma once

#include <string>
#include <vector>

namespace vgpu::cudart {

// The functions of the CUDA runtime that refused.txt lists.
const std::vector<const char*>& refused_calls();

struct MissingCall {
  std::string object;  // the program or shared library that refers to it
  std::string name;
  std::string library;  // such as "libcudart.so.13"
};

// Searches all objects that are loaded now. The result is sorted by object and name.
std::vector<MissingCall> missing_calls();

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// Calls that a loaded program refers to and that a stand-in lacks.
#pragma once

#include <string>
#include <vector>

namespace vgpu::cudart {

// The functions of the CUDA runtime that refused.txt lists.
const std::vector<const char*>& refused_calls();

struct MissingCall {
  std::string object;  // the program or shared library that refers to it
  std::string name;
  std::string library;  // "libcudart.so.13"
};

// In all objects that are loaded now, by object and name.
std::vector<MissingCall> missing_calls();

}  // namespace vgpu::cudart

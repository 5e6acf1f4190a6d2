// SPDX-License-Identifier: Apache-2.0
//
// Work submitted by the stand-ins for libraries. They declare the ranges they read and write, since their accesses are
// not observed.
#pragma once

#include "cudart/work.h"

namespace vgpu::cudart {

void perform_library_work(const LibraryWork& work);

}  // namespace vgpu::cudart

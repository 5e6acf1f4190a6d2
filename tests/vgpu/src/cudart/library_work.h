// SPDX-License-Identifier: Apache-2.0
//
// Work of stand-ins for libraries, which tell what they read and write instead of having each access seen.
#pragma once

#include "cudart/work.h"

namespace vgpu::cudart {

void perform_library_work(const LibraryWork& work);

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// Keeps what launches counted: their sum for the program that asks, and a line for each in the file of VGPU_COUNTERS.
#pragma once

#include "cudart/work.h"
#include "exec/counters.h"

namespace vgpu::cudart {

void count_launch(const KernelWork& work, const Counters& counters);
void count_launch(const LibraryWork& work);  // nothing of it but that it ran

}  // namespace vgpu::cudart

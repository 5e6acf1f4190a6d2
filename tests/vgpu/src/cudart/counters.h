// SPDX-License-Identifier: Apache-2.0
//
// Collects the counters of launches: their sum for vgpu_counters_json(), and a line per launch in the file of
// VGPU_COUNTERS.
#pragma once

#include "cudart/work.h"
#include "exec/counters.h"

namespace vgpu::cudart {

void count_launch(const KernelWork& work, const Counters& counters);
void count_launch(const LibraryWork& work);  // counts only the launch itself

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// Counts the calls of a program for its tests, and selects the call that has to fail.
#pragma once

namespace vgpu::cudart {

void count_synchronization();
void count_allocation();

// Counts a call and returns whether it is the one that vgpu_fail_call() selected.
bool fails_now();

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// What tests of a program count of its calls, and which of them they let fail.
#pragma once

namespace vgpu::cudart {

void count_synchronization();
void count_allocation();

// Counts a call; whether it is the one that vgpu_fail_call() asked for.
bool fails_now();

}  // namespace vgpu::cudart

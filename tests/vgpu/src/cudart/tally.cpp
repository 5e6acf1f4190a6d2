// SPDX-License-Identifier: Apache-2.0
#include "cudart/tally.h"

#include <atomic>

#include "cudart/vgpu.h"

namespace vgpu::cudart {
namespace {

std::atomic<unsigned long long> synchronizations{0}, allocations{0}, calls{0};
std::atomic<unsigned long long> failing{0};  // the number of the call; 0 if none

}  // namespace

void count_synchronization() { ++synchronizations; }

void count_allocation() { ++allocations; }

bool fails_now() { return ++calls == failing; }

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

unsigned long long vgpu_synchronizations(void) { return synchronizations; }

unsigned long long vgpu_allocations(void) { return allocations; }

unsigned long long vgpu_calls(void) { return calls; }

void vgpu_fail_call(unsigned long long n) { failing = n == 0 ? 0 : calls + n; }

int vgpu_fails_now(void) { return fails_now() ? 1 : 0; }

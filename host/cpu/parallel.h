// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace attn::cpu {

// Calls body(0) ... body(tasks - 1), each once, on up to `threads` threads. Tasks write to places of their own and
// sum in an order of their own, so neither the number of threads nor who runs what can change a result.
//
// It stands outside the per-target code: not every compiler gives the function that it makes of a parallel region the
// instruction set of the function around. The body is a lambda marked HWY_ATTR.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1 && tasks > 1)
  for (std::int64_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace attn::cpu

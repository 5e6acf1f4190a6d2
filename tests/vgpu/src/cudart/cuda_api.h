// SPDX-License-Identifier: Apache-2.0
//
// The toolkit's own declarations, with default visibility, so that this library exports the functions.
#pragma once

#pragma GCC visibility push(default)
#include <cuda_profiler_api.h>
#include <cuda_runtime_api.h>
#pragma GCC visibility pop

// SPDX-License-Identifier: Apache-2.0
//
// The toolkit's own declarations, with default visibility, so that these libraries export the functions.
#pragma once

#pragma GCC visibility push(default)
#include <cublasLt.h>
#include <cublas_v2.h>
#pragma GCC visibility pop

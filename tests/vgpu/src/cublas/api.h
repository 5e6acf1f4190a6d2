// SPDX-License-Identifier: Apache-2.0
//
// The toolkit's own declarations, as functions that these libraries export.
#pragma once

#pragma GCC visibility push(default)
#include <cublasLt.h>
#include <cublas_v2.h>
#pragma GCC visibility pop

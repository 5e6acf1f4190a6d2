// SPDX-License-Identifier: Apache-2.0
//
// cuDNN's own declarations, with default visibility, so that this library exports the functions.
#pragma once

#pragma GCC visibility push(default)
#include <cudnn.h>
#pragma GCC visibility pop

// SPDX-License-Identifier: Apache-2.0
//
// cuDNN's own declarations, as functions that this library exports.
#pragma once

#pragma GCC visibility push(default)
#include <cudnn.h>
#pragma GCC visibility pop

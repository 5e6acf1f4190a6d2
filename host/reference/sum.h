// SPDX-License-Identifier: Apache-2.0
//
// The reference: double precision, plain loops, no dependency. It is the executable specification that every
// backend is compared with.
#pragma once

#include <vector>

namespace attn::reference {

// A result and, element by element, the scale its rounding error is judged by: the sum of the absolute terms of
// the reduction that made it, with the scales of the terms carried along where a term is itself a reduction.
struct Sum {
  std::vector<double> value;
  std::vector<double> terms;
};

}  // namespace attn::reference

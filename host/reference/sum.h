// SPDX-License-Identifier: Apache-2.0
//
// The reference: double precision, plain loops, no dependency. It is the executable specification with which every
// backend is compared.
#pragma once

#include <vector>

namespace attn::reference {

// A result and, for each element, the scale by which its rounding error is judged: the sum of the absolute terms of the
// reduction that computed it. Where a term is itself a reduction, its scale enters the sum.
struct Sum {
  std::vector<double> value;
  std::vector<double> terms;
};

}  // namespace attn::reference

// SPDX-License-Identifier: Apache-2.0
//
// Dynamic loss scaling: the loss is multiplied by as large a factor as keeps the gradients finite, so that they do not
// underflow in fp16 (Micikevicius et al.: Mixed Precision Training, 2018, section 3.2). A step whose gradients are not finite
// is skipped and halves the factor; kCleanSteps finite ones in a row double it. Powers of two scale without rounding.
#pragma once

#include <algorithm>
#include <cstdint>

namespace attn::classifier {

struct LossScale {
  static constexpr double kInitial = 65536, kLargest = 16777216;
  static constexpr std::int64_t kCleanSteps = 2000;

  double value = 1;
  std::int64_t clean = 0;  // finite steps since the last change

  // To be called after each step; `finite` tells whether all its gradients were.
  void update(bool finite) {
    if (!finite) {
      value = std::max(1.0, value / 2);
      clean = 0;
    } else if (++clean == kCleanSteps) {
      value = std::min(kLargest, value * 2);
      clean = 0;
    }
  }
};

}  // namespace attn::classifier

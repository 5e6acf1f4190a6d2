// SPDX-License-Identifier: Apache-2.0
//
// What the loss is multiplied by, so that its gradients are numbers that fp16 has: as large as they stay finite. Doubled
// after so many steps without one that was not, halved after one, which is then left out (Micikevicius et al.: Mixed
// Precision Training, 2018, section 3.2). Powers of two change no digit.
#pragma once

#include <algorithm>
#include <cstdint>

namespace attn {

struct LossScale {
  static constexpr double kFirst = 65536, kMost = 16777216;
  static constexpr std::int64_t kCleanSteps = 2000;

  double value = 1;
  std::int64_t clean = 0;  // steps since it was changed

  // After a step, whose gradient was finite or not.
  void update(bool finite) {
    if (!finite) {
      value = std::max(1.0, value / 2);
      clean = 0;
    } else if (++clean == kCleanSteps) {
      value = std::min(kMost, value * 2);
      clean = 0;
    }
  }
};

}  // namespace attn

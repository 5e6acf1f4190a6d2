// SPDX-License-Identifier: Apache-2.0
//
// What a GPU can do at most, and how near a call comes to it.
#pragma once

#include <algorithm>

#include "bench/calls.h"

namespace attn::bench {

struct Peak {
  double bytes_per_second;  // of the device's memory
  double tanhs_per_second;
};

// As the CUDA runtime gives them.
struct DeviceRates {
  double memory_clock_khz, memory_bus_bits, clock_khz, multiprocessors;
};

// Memory moves data on both edges of its clock. A multiprocessor makes 16 special functions per clock on every GPU from
// Turing on, and a tanh takes one of them or more; arithmetic that shares one between several may come out above the roof.
inline Peak peak_of(const DeviceRates& device) {
  return {2 * 1e3 * device.memory_clock_khz * device.memory_bus_bits / 8,
          16 * 1e3 * device.clock_khz * device.multiprocessors};
}

// The share of the roof that a call reaches: of the time it takes, how much any implementation would take at least that
// reads every input and writes every output once.
inline double roofline_fraction(const Cost& cost, const Peak& peak, double seconds) {
  const double least = std::max(static_cast<double>(cost.least) / peak.bytes_per_second,
                                static_cast<double>(cost.tanhs) / peak.tanhs_per_second);
  return least / seconds;
}

}  // namespace attn::bench

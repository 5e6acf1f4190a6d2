// SPDX-License-Identifier: Apache-2.0
//
// The peak rates of a GPU, and the fraction of them that a call reaches.
#pragma once

#include <algorithm>

#include "bench/calls.h"

namespace attn::bench {

struct Peak {
  double bytes_per_second;  // of the device's memory
  double tanhs_per_second;
};

// The rates that the CUDA runtime reports.
struct DeviceRates {
  double memory_clock_khz, memory_bus_bits, clock_khz, multiprocessors;
};

// Memory transfers data on both edges of its clock. A multiprocessor computes 16 special functions per clock on every
// GPU since Turing, and a tanh needs at least one of them; an algorithm that shares one among several tanh may exceed
// the roofline.
inline Peak peak_of(const DeviceRates& device) {
  return {2 * 1e3 * device.memory_clock_khz * device.memory_bus_bits / 8,
          16 * 1e3 * device.clock_khz * device.multiprocessors};
}

// The fraction of the roofline that a call reaches: the least time of any implementation that reads every input and
// writes every output once, divided by the time of the call.
inline double roofline_fraction(const Cost& cost, const Peak& peak, double seconds) {
  const double least = std::max(static_cast<double>(cost.least) / peak.bytes_per_second,
                                static_cast<double>(cost.tanhs) / peak.tanhs_per_second);
  return least / seconds;
}

}  // namespace attn::bench

// SPDX-License-Identifier: Apache-2.0
//
// Dropout between layers. cuDNN does not document its generator. Here the random number of an element is a hash of the
// seed, the number of earlier calls that drew from it, and the element's index, so that backward can recompute it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgpu::cudnn {

// The contents of the state buffer. Each forward call in training mode increments the count on the device.
struct DropoutState {
  std::uint64_t magic = 0, seed = 0, drawn = 0;
};
constexpr std::uint64_t kDropoutMagic = 0x7374617465733031;

struct DropoutMask {
  double dropout = 0;
  std::uint64_t seed = 0, drawn = 0;

  // The factor by which an element of a layer's output is multiplied before it enters the next layer.
  double factor(std::size_t layer, std::size_t element) const {
    if (dropout == 0) return 1;
    const std::uint64_t key = mixed(mixed(mixed(seed) ^ drawn) ^ layer);
    const double number = static_cast<double>(mixed(key ^ element) >> 11) / 9007199254740992.0;  // 2^53
    return number < dropout ? 0 : 1 / (1 - dropout);
  }

 private:
  // An invertible mixing function of multiplications and shifts: each bit of the argument affects about half of the
  // bits of the result.
  static std::uint64_t mixed(std::uint64_t bits) {
    bits += 0x9e3779b97f4a7c15;
    bits = (bits ^ (bits >> 32)) * 0xd6e8feb86659fd93;
    bits = (bits ^ (bits >> 32)) * 0xd6e8feb86659fd93;
    return bits ^ (bits >> 32);
  }
};

}  // namespace vgpu::cudnn

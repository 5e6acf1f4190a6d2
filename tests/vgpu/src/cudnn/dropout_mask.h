// SPDX-License-Identifier: Apache-2.0
//
// Dropout between layers. cuDNN does not say what its generator is; here every element's number is a hash of the seed, of how
// many calls have drawn from it before, and of where the element stands, so that backward finds it again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vgpu::cudnn {

// What the states hold, which the device changes: one call of forward in training draws once.
struct DropoutState {
  std::uint64_t magic = 0, seed = 0, drawn = 0;
};
constexpr std::uint64_t kDropoutMagic = 0x7374617465733031;

struct DropoutMask {
  double dropout = 0;
  std::uint64_t seed = 0, drawn = 0;

  // By which an element of a layer's output is multiplied on its way to the next layer.
  double factor(std::size_t layer, std::size_t element) const {
    if (dropout == 0) return 1;
    const std::uint64_t key = mixed(mixed(mixed(seed) ^ drawn) ^ layer);
    const double number = static_cast<double>(mixed(key ^ element) >> 11) / 9007199254740992.0;  // 2^53
    return number < dropout ? 0 : 1 / (1 - dropout);
  }

 private:
  // Multiplications and shifts that let every bit of the argument change about half of the result's; they lose nothing.
  static std::uint64_t mixed(std::uint64_t bits) {
    bits += 0x9e3779b97f4a7c15;
    bits = (bits ^ (bits >> 32)) * 0xd6e8feb86659fd93;
    bits = (bits ^ (bits >> 32)) * 0xd6e8feb86659fd93;
    return bits ^ (bits >> 32);
  }
};

}  // namespace vgpu::cudnn

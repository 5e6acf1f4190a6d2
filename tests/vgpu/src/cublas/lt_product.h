// SPDX-License-Identifier: Apache-2.0
//
// What descriptors of cuBLASLt say together.
#pragma once

#include <array>

#include "cublas/lt_descriptors.h"
#include "cublas/product.h"

namespace vgpu::cublas {

// The product without its data, of layouts of A, B, C, D. Fails where they contradict each other, refuses what the stand-in
// does not compute.
Product described(const Operation& operation, const std::array<const Layout*, 4>& layouts);

// The pointers of the product.
void check_data(const Product& product);

}  // namespace vgpu::cublas

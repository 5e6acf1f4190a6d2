// SPDX-License-Identifier: Apache-2.0
//
// Combines cuBLASLt descriptors into a product.
#pragma once

#include <array>

#include "cublas/lt_descriptors.h"
#include "cublas/product.h"

namespace vgpu::cublas {

// Returns the product that the layouts of A, B, C and D describe, without its data. Fails if they contradict each
// other, and refuses features that the stand-in lacks.
Product described(const Operation& operation, const std::array<const Layout*, 4>& layouts);

// Adds the pointers to the product.
void check_data(const Product& product);

}  // namespace vgpu::cublas

// SPDX-License-Identifier: Apache-2.0
//
// Shared by all cuBLASLt descriptors. As in the library, an attribute accepts any value of the right size; values that
// make no sense are rejected when a product uses the descriptor.
#pragma once

#include <cstring>
#include <memory>

#include "cublas/lt_descriptors.h"

namespace vgpu::cublas {

template <class Held, class Opaque>
cublasStatus_t initialise(Opaque* opaque, std::size_t size, const Held& held) {
  return call([&] {
    require(opaque != nullptr);
    require(size >= sizeof(Opaque), CUBLAS_STATUS_ALLOC_FAILED);
    new (opaque) Held(held);
  });
}

template <class Held, class Opaque>
cublasStatus_t create(Opaque** place, const Held& held) {
  return fallible_call(CUBLAS_STATUS_ALLOC_FAILED, [&] {
    require(place != nullptr);
    auto opaque = std::make_unique<Opaque>();
    new (opaque.get()) Held(held);
    *place = opaque.release();
  });
}

template <class Opaque>
cublasStatus_t destroy(Opaque* opaque) {
  delete opaque;
  return CUBLAS_STATUS_SUCCESS;
}

// visit(held, attribute, f), defined with each descriptor, calls f with the address and size of the attribute's value.
template <class Held, class Opaque, class Attribute>
cublasStatus_t get_attribute(Opaque* opaque, Attribute attribute, void* buffer, std::size_t size,
                             std::size_t* written) {
  return call([&] {
    visit(held_in<Held>(opaque), attribute, [&](const void* value, std::size_t needed) {
      require(size == 0 ? written != nullptr : size == needed && buffer != nullptr);
      if (size != 0) std::memcpy(buffer, value, needed);
      if (written != nullptr) *written = needed;
    });
  });
}

template <class Held, class Opaque, class Attribute>
cublasStatus_t set_attribute(Opaque* opaque, Attribute attribute, const void* buffer, std::size_t size) {
  return call([&] {
    visit(held_in<Held>(opaque), attribute, [&](void* value, std::size_t needed) {
      require(size == needed && buffer != nullptr);
      std::memcpy(value, buffer, needed);
    });
  });
}

}  // namespace vgpu::cublas

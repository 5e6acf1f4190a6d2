// SPDX-License-Identifier: Apache-2.0
#include "encoder/plan/parameter_map.h"

#include "base/validate.h"

namespace attn::internal {

constexpr std::int64_t kAligned = 16;  // floats; every parameter starts on a cache line

ParameterMap::ParameterMap(const attn_recurrent_desc_t& desc) {
  const std::int64_t n = desc.directions, H = desc.H, D = n * H;
  for (std::int32_t layer = 0; layer < desc.layers; ++layer) {
    const std::string prefix = "lstm." + std::to_string(layer);
    add(prefix + ".kernel", {n, layer == 0 ? desc.E : D, 4 * H});
    add(prefix + ".recurrent", {n, H, 4 * H});
    add(prefix + ".bias", {n, 4 * H});
  }
  if (desc.attention == ATTN_ATTENTION_POOLING) {
    add("attention.w", {D});
    add("attention.b", {desc.positions});
  } else {
    add("attention.h", {desc.Q, desc.P});
    add("attention.w_q", {desc.A, desc.P});
    add("attention.w_k", {desc.A, D});
    if (desc.omit_key_bias == 0) add("attention.b", {desc.A});
    add("attention.v", {desc.A});
  }
}

void ParameterMap::add(const std::string& name, const std::vector<std::int64_t>& shape) {
  const std::int64_t size = element_count(name.c_str(), shape.data(), shape.size());
  entries_.push_back({name, shape, floats_});
  floats_ = element_count("parameters", {(floats_ + size + kAligned - 1) / kAligned, kAligned});
}

std::int64_t ParameterMap::offset(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry.offset;
  throw Failure(ATTN_INTERNAL_ERROR, "parameter: expected the name of one, got " + name);
}

}  // namespace attn::internal

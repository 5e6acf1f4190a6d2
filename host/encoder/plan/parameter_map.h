// SPDX-License-Identifier: Apache-2.0
//
// The parameters of a recurrent attention encoder in one block, in the order given in recurrent.h.
#pragma once

#include <string>
#include <vector>

#include "attn_cuda/recurrent.h"

namespace attn::internal {

class ParameterMap {
 public:
  struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset;  // in the block, in floats
  };

  // Rejects shapes that overflow.
  explicit ParameterMap(const attn_recurrent_desc_t& desc);

  const std::vector<Entry>& entries() const { return entries_; }
  std::int64_t floats() const { return floats_; }  // of the block

  // The offset of an existing parameter.
  std::int64_t offset(const std::string& name) const;

 private:
  void add(const std::string& name, const std::vector<std::int64_t>& shape);

  std::vector<Entry> entries_;
  std::int64_t floats_ = 0;
};

}  // namespace attn::internal

// SPDX-License-Identifier: Apache-2.0
//
// Registers whose values were loaded from uninitialised memory. Correct code has them too: it loads a value
// speculatively and then does not select it. A lane may therefore move such a value, compute with it and set a
// predicate from it. It becomes a fault when a branch, an address, memory or another lane depends on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/code.h"

namespace vgpu {

struct Finding;
struct Frame;
class Warp;

class UndefinedValues {
 public:
  bool empty() const { return values_.empty(); }

  // Records that the lane loads an uninitialised value, which `finding` describes, into this register of the current
  // frame. A load into the sink `_` is not recorded.
  void add(Warp& warp, const ptx::Operand& into, unsigned lane, std::shared_ptr<const Finding> finding);
  // Called before the current instruction runs. `standing` is the set of all lanes at the instruction, regardless of
  // its guard. Throws Fault.
  void step(Warp& warp, Mask standing);
  // Called when the registers of the frame are no longer in use.
  void forget(const Frame& frame);

 private:
  struct Value {
    const Frame* frame;
    std::string_view name;
    Mask lanes;
    std::shared_ptr<const Finding> finding;
  };

  Mask lanes_of(const Frame* frame, std::string_view name) const;
  Mask lanes_of_result(Warp& warp) const;

  std::vector<Value> values_;  // at most one entry per register and lane
};

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// Registers whose values were loaded from uninitialised memory. Correct code has them too: it loads a value speculatively and
// then does not select it. A lane may therefore move such a value, compute with it and set a predicate from it. It becomes a
// fault when a branch, an address, memory or another lane depends on it.
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

  // The lane loads one into this register of the current frame, or nowhere; `finding` says so.
  void add(Warp& warp, const ptx::Operand& into, unsigned lane, std::shared_ptr<const Finding> finding);
  // The current instruction is about to run. `standing`: all lanes at it, whatever its guard says. Throws Fault.
  void step(Warp& warp, Mask standing);
  // The registers of the frame hold nothing any more.
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

  std::vector<Value> values_;  // of a register, each lane once
};

}  // namespace vgpu

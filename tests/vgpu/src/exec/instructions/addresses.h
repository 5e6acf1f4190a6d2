// SPDX-License-Identifier: Apache-2.0
//
// Address operands of instructions that have more than one of them.
#pragma once

#include "exec/access.h"
#include "exec/decode.h"

namespace vgpu {

struct Address {
  std::size_t operand = 0;  // index of the base in Code::operands
  bool narrow = false;
  std::int64_t offset = 0;
};

inline Address take_address(Decoder& d, std::size_t index, ptx::Space space, std::size_t slot_index) {
  Code& code = d.code();
  d.address(d.operand(index), space, slot_index);
  const Address address{slot_index, (code.flags & kAddress32) != 0, code.offset};
  code.flags = static_cast<std::uint8_t>(code.flags & ~kAddress32);
  return address;
}

inline void read_addresses(Warp& warp, const Code& code, const Address& address, Access& access) {
  read_addresses(warp, code.operands[address.operand], address.narrow, address.offset, access);
}

}  // namespace vgpu

// SPDX-License-Identifier: Apache-2.0
//
// ld and st. A register may be wider than the value loaded into it; the value is then sign-extended or zero-extended.
#include "exec/access.h"
#include "exec/instructions/families.h"
#include "exec/instructions/lanes.h"
#include "exec/instructions/whole_moves.h"

namespace vgpu {
namespace {

using ptx::Space;
using ptx::Type;

enum Flag : std::uint8_t { kStrong = 1, kReleases = 2 };

Access access_of(const Code& code, Access::Kind kind) {
  return {kind, code.space, std::uint32_t{code.bytes} * code.elements, (code.flags & kStrong) != 0, {}, {}};
}

constexpr std::size_t kMostBytes = 32;  // most bytes that one lane accesses

// Returns whether the access is strong and larger than what a single access of the host moves atomically.
bool is_moved_whole(const Code& code) {
  return (code.flags & kStrong) != 0 && (code.elements > 1 || code.bytes > sizeof(std::uint64_t));
}

// Operands: address, then one register per element.
template <class Element, class Register>
void run_load(Warp& warp, const Code& code) {
  Access access = access_of(code, Access::Kind::kRead);
  read_addresses(warp, code, 0, access);
  resolve(warp, access);
  std::array<std::array<std::byte, kMostBytes>, kLanes> whole;
  if (is_moved_whole(code))
    for_each_lane(warp.active(), [&](unsigned lane) {
      load_whole(whole[lane].data(), access.host[lane], access.bytes);
      access.host[lane] = whole[lane].data();
    });
  for (unsigned element = 0; element < code.elements; ++element) {
    Register* out = warp.lanes<Register>(code.operands[element + 1]);
    for_each_lane(warp.active(), [&](unsigned lane) {
      Element value;
      std::memcpy(&value, access.host[lane] + element * sizeof(Element), sizeof value);
      out[lane] = static_cast<Register>(value);
    });
  }
}

// The values that a lane stores.
template <class Element, class Register>
void stored_value(Warp& warp, const Code& code, unsigned lane, std::byte* out) {
  for (unsigned element = 0; element < code.elements; ++element) {
    const auto value = static_cast<Element>(warp.lanes<Register>(code.operands[element + 1])[lane]);
    std::memcpy(out + element * sizeof(Element), &value, sizeof value);
  }
}

template <class Element, class Register>
void run_store(Warp& warp, const Code& code) {
  Access access = access_of(code, Access::Kind::kWrite);
  access.relaxed = (code.flags & kReleases) == 0;
  access.value = stored_value<Element, Register>;
  read_addresses(warp, code, 0, access);
  resolve(warp, access);
  const bool whole = is_moved_whole(code);
  for_each_lane(warp.active(), [&](unsigned lane) {
    if (!whole) return stored_value<Element, Register>(warp, code, lane, access.host[lane]);
    std::array<std::byte, kMostBytes> value;
    stored_value<Element, Register>(warp, code, lane, value.data());
    store_whole(access.host[lane], value.data(), access.bytes);
  });
}

struct Wide {
  std::uint64_t low, high;
};

template <class Element>
Handler load_handler(std::size_t register_size) {
  switch (register_size) {
    case 1:
      if constexpr (sizeof(Element) <= 1) return run_load<Element, std::uint8_t>;
      break;
    case 2:
      if constexpr (sizeof(Element) <= 2) return run_load<Element, std::uint16_t>;
      break;
    case 4:
      if constexpr (sizeof(Element) <= 4) return run_load<Element, std::uint32_t>;
      break;
    case 8:
      return run_load<Element, std::uint64_t>;
    default:
      break;
  }
  return nullptr;
}

template <class Element>
Handler store_handler(std::size_t register_size) {
  switch (register_size) {
    case 1:
      if constexpr (sizeof(Element) <= 1) return run_store<Element, std::uint8_t>;
      break;
    case 2:
      if constexpr (sizeof(Element) <= 2) return run_store<Element, std::uint16_t>;
      break;
    case 4:
      if constexpr (sizeof(Element) <= 4) return run_store<Element, std::uint32_t>;
      break;
    case 8:
      return run_store<Element, std::uint64_t>;
    default:
      break;
  }
  return nullptr;
}

Handler handler_for(bool load, Type type, std::size_t register_size) {
  const bool extends_sign = ptx::is_signed(type);
  switch (ptx::size_of(type)) {
    case 1:
      if (!load) return store_handler<std::uint8_t>(register_size);
      return extends_sign ? load_handler<std::int8_t>(register_size) : load_handler<std::uint8_t>(register_size);
    case 2:
      if (!load) return store_handler<std::uint16_t>(register_size);
      return extends_sign ? load_handler<std::int16_t>(register_size) : load_handler<std::uint16_t>(register_size);
    case 4:
      if (!load) return store_handler<std::uint32_t>(register_size);
      return extends_sign ? load_handler<std::int32_t>(register_size) : load_handler<std::uint32_t>(register_size);
    case 8:
      return load ? load_handler<std::uint64_t>(register_size) : store_handler<std::uint64_t>(register_size);
    case 16:
      return load ? run_load<Wide, Wide> : run_store<Wide, Wide>;
    default:
      return nullptr;
  }
}

void decode_access(Decoder& d, bool load) {
  Code& code = d.code();
  code.pipe = Pipe::kLoadStore;
  Space space = Space::kGeneric;
  const bool of_kernel = d.take_any("param::entry");
  if (of_kernel) space = Space::kParam;
  // Cache operators and cache hints do not change any result.
  for (bool more = true; more;) {
    const std::string word = d.peek();
    more = false;
    if (word == "volatile" || word == "relaxed" || word == "acquire" || word == "release" || word == "mmio") {
      code.flags |= kStrong;
      if (word == "release") code.flags |= kReleases;
      more = true;
    } else if (word == "weak" || word == "cta" || word == "gpu" || word == "sys" || word == "cluster" || word == "ca" ||
               word == "cg" || word == "cs" || word == "cv" || word == "lu" || word == "wb" || word == "wt" ||
               word == "nc" || word == "L1::no_allocate" || word == "L1::evict_last" || word == "L1::evict_first" ||
               word == "L1::evict_normal" || word == "L1::evict_unchanged" || word == "L2::cache_hint" ||
               word == "L2::64B" || word == "L2::128B" || word == "L2::256B" || word == "L2::evict_first" ||
               word == "L2::evict_last" || word == "L2::evict_normal") {
      more = true;
    } else if (const auto named = ptx::space_named(word)) {
      space = *named;
      more = true;
    }
    if (more) d.take(word);
  }
  for (const unsigned elements : {2u, 4u, 8u})
    if (d.take("v" + std::to_string(elements))) code.elements = static_cast<std::uint8_t>(elements);
  const Type type = d.take_type();
  code.bytes = static_cast<std::uint8_t>(ptx::size_of(type));

  const ptx::Operand& values = d.operand(load ? 0 : 1);
  d.address(d.operand(load ? 1 : 0), space, 0);
  if (of_kernel) code.space = Space::kParam;
  const std::vector<ptx::Operand> one{values};
  const std::vector<ptx::Operand>& elements = values.kind == ptx::Operand::Kind::kVector ? values.elements : one;
  if (elements.size() != code.elements) d.unknown("a vector of another length");
  std::size_t register_size = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    std::size_t size = d.register_size(elements[i]);
    if (size == 0) size = std::max<std::size_t>(ptx::size_of(type), 1);
    if (register_size != 0 && size != register_size) d.unknown("registers of different sizes");
    register_size = size;
  }
  static constexpr Type kBySize[] = {Type::kB8,   Type::kB8,   Type::kB16,  Type::kNone, Type::kB32,
                                     Type::kNone, Type::kNone, Type::kNone, Type::kB64};
  const Type as = register_size == 16 ? Type::kB128 : kBySize[register_size];
  for (std::size_t i = 0; i < elements.size(); ++i)
    code.operands[i + 1] = load ? d.output(elements[i], as) : d.input(elements[i], as);
  code.run = handler_for(load, type, register_size);
  if (code.run == nullptr) d.unknown();
}

void decode_ld(Decoder& d) { decode_access(d, true); }
void decode_st(Decoder& d) { decode_access(d, false); }

}  // namespace

void add_loads(InstructionTable& table) {
  table["ld"] = decode_ld;
  table["ldu"] = decode_ld;
  table["st"] = decode_st;
}

}  // namespace vgpu

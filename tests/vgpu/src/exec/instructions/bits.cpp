// SPDX-License-Identifier: Apache-2.0
//
// Instructions that count bits, find bits, and extract or insert bit fields.
#include <algorithm>

#include "exec/instructions/by_type.h"
#include "exec/instructions/families.h"

namespace vgpu {
namespace {

using ptx::Type;

template <class T>
constexpr int kBits = 8 * sizeof(T);

struct PopulationCount {
  template <class T>
  std::uint32_t operator()(T a) const {
    return static_cast<std::uint32_t>(__builtin_popcountll(a));
  }
};

struct LeadingZeros {
  template <class T>
  std::uint32_t operator()(T a) const {
    return static_cast<std::uint32_t>(a == 0 ? kBits<T> : __builtin_clzll(a) - (64 - kBits<T>));
  }
};

// Returns the position of the most significant bit that differs from the sign or, with shift_amount, the left shift
// that moves it to the top. Returns all ones if there is no such bit.
template <bool shift_amount>
struct FindHighest {
  template <class T>
  std::uint32_t operator()(T a) const {
    using U = std::make_unsigned_t<T>;
    const U bits = static_cast<U>(a < 0 ? static_cast<T>(~a) : a);
    const std::uint32_t zeros = LeadingZeros{}(bits);
    if (zeros == kBits<T>) return 0xffffffffu;
    return shift_amount ? zeros : kBits<T> - 1 - zeros;
  }
};

struct Reverse {
  template <class T>
  T operator()(T a) const {
    T out = 0;
    for (int i = 0; i < kBits<T>; ++i) out |= (a >> i & 1) << (kBits<T> - 1 - i);
    return out;
  }
};

// Finds the n-th set bit counting upwards from `base`, or downwards if n < 0. If n is 0, it tests the bit at base
// itself.
struct FindNth {
  std::uint32_t operator()(std::uint32_t mask, std::uint32_t base, std::int32_t n) const {
    const int step = n < 0 ? -1 : 1;
    std::uint32_t left = n == 0 ? 1 : static_cast<std::uint32_t>(n < 0 ? -std::int64_t{n} : n);
    for (std::int64_t at = base; at >= 0 && at < 32; at += step) {
      if ((mask >> at & 1) != 0 && --left == 0) return static_cast<std::uint32_t>(at);
      if (n == 0) break;
    }
    return 0xffffffffu;
  }
};

// Returns a mask of the lowest `count` bits.
template <class T>
T low_bits(std::uint32_t count) {
  return count >= kBits<T> ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << count) - 1);
}

// A field that extends beyond the most significant bit of its source ends there. A signed field is extended with the
// most significant bit that it contains.
struct ExtractField {
  template <class T>
  T operator()(T a, std::uint32_t position, std::uint32_t length) const {
    using U = std::make_unsigned_t<T>;
    position &= 0xff;
    length &= 0xff;
    const U bits = static_cast<U>(a);
    const U field = position >= kBits<T> ? U{0} : static_cast<U>(bits >> position & low_bits<U>(length));
    if (std::is_unsigned_v<T> || length == 0) return static_cast<T>(field);
    const std::uint32_t sign_at = std::min<std::uint32_t>(position + length - 1, kBits<T> - 1);
    const std::uint32_t room = position >= kBits<T> ? 0 : std::min<std::uint32_t>(length, kBits<T> - position);
    return static_cast<T>((bits >> sign_at & 1) != 0 ? field | ~low_bits<U>(room) : field);
  }
};

struct InsertField {
  template <class T>
  T operator()(T a, T b, std::uint32_t position, std::uint32_t length) const {
    position &= 0xff;
    if (position >= kBits<T>) return b;
    const T mask = static_cast<T>(low_bits<T>(length & 0xff) << position);
    return static_cast<T>((b & ~mask) | (a << position & mask));
  }
};

template <bool clamps>
struct Extend {
  template <class T>
  T operator()(T a, std::uint32_t width) const {
    if (clamps && width >= 32) return a;
    width &= 31;
    if (width == 0) return 0;
    const T up = static_cast<T>(static_cast<std::uint32_t>(a) << (32 - width));
    return static_cast<T>(up >> (32 - width));
  }
};

template <bool clamps>
struct MakeMask {
  std::uint32_t operator()(std::uint32_t position, std::uint32_t width) const {
    if (clamps && position >= 32) return 0;
    position &= 31;
    const std::uint32_t bits = clamps ? low_bits<std::uint32_t>(width) : low_bits<std::uint32_t>(width & 31);
    return bits << position;
  }
};

template <class F>
struct Count {
  template <class T>
  Handler operator()(T) const {
    return map_handler<F, std::uint32_t, T>;
  }
};

// Decodes an instruction that computes a u32 from the bits of a single source, such as popc and clz.
template <class F>
void decode_count(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, Type::kU32, {type});
  set_handler(d, Pipe::kSpecial, type == Type::kB16 ? nullptr : for_bits(type, Count<F>{}));
}

void decode_bfind(Decoder& d) {
  const bool shift_amount = d.take("shiftamt");
  const Type type = d.take_type();
  take_operands(d, Type::kU32, {type});
  if (ptx::size_of(type) < 4) d.unknown();
  set_handler(
      d, Pipe::kSpecial,
      shift_amount ? for_integers(type, Count<FindHighest<true>>{}) : for_integers(type, Count<FindHighest<false>>{}));
}

void decode_brev(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type});
  set_handler(d, Pipe::kSpecial, type == Type::kB16 ? nullptr : for_bits(type, Unary<Reverse>{}));
}

void decode_fns(Decoder& d) {
  if (!d.take("b32")) d.unknown();
  take_operands(d, Type::kB32, {Type::kB32, Type::kB32, Type::kS32});
  set_handler(d, Pipe::kAlu, map_handler<FindNth, std::uint32_t, std::uint32_t, std::uint32_t, std::int32_t>);
}

struct Extract {
  template <class T>
  Handler operator()(T) const {
    return map_handler<ExtractField, T, T, std::uint32_t, std::uint32_t>;
  }
};

void decode_bfe(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, Type::kU32, Type::kU32});
  set_handler(d, Pipe::kAlu, ptx::size_of(type) < 4 ? nullptr : for_integers(type, Extract{}));
}

struct Insert {
  template <class T>
  Handler operator()(T) const {
    return map_handler<InsertField, T, T, T, std::uint32_t, std::uint32_t>;
  }
};

void decode_bfi(Decoder& d) {
  const Type type = d.take_type();
  take_operands(d, type, {type, type, Type::kU32, Type::kU32});
  set_handler(d, Pipe::kAlu, type == Type::kB16 ? nullptr : for_bits(type, Insert{}));
}

bool take_clamp(Decoder& d) {
  const std::string mode = d.take_word();
  if (mode != "clamp" && mode != "wrap") d.unknown();
  return mode == "clamp";
}

template <class T>
Handler extension(bool clamps) {
  return clamps ? map_handler<Extend<true>, T, T, std::uint32_t> : map_handler<Extend<false>, T, T, std::uint32_t>;
}

void decode_szext(Decoder& d) {
  const bool clamps = take_clamp(d);
  const Type type = d.take_type();
  take_operands(d, type, {type, Type::kU32});
  Handler handler = nullptr;
  if (type == Type::kU32) handler = extension<std::uint32_t>(clamps);
  if (type == Type::kS32) handler = extension<std::int32_t>(clamps);
  set_handler(d, Pipe::kAlu, handler);
}

void decode_bmsk(Decoder& d) {
  const bool clamps = take_clamp(d);
  if (!d.take("b32")) d.unknown();
  take_operands(d, Type::kB32, {Type::kU32, Type::kU32});
  set_handler(d, Pipe::kAlu,
              clamps ? map_handler<MakeMask<true>, std::uint32_t, std::uint32_t, std::uint32_t>
                     : map_handler<MakeMask<false>, std::uint32_t, std::uint32_t, std::uint32_t>);
}

}  // namespace

void add_bits(InstructionTable& table) {
  table["popc"] = decode_count<PopulationCount>;
  table["clz"] = decode_count<LeadingZeros>;
  table["bfind"] = decode_bfind;
  table["brev"] = decode_brev;
  table["fns"] = decode_fns;
  table["bfe"] = decode_bfe;
  table["bfi"] = decode_bfi;
  table["szext"] = decode_szext;
  table["bmsk"] = decode_bmsk;
}

}  // namespace vgpu

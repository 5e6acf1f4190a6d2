// SPDX-License-Identifier: Apache-2.0
//
// The first and last step of a conversion: loading registers into a row of numbers, and storing a row of numbers into
// registers.
#include "exec/instructions/conversion.h"
#include "exec/instructions/float_rules.h"
#include "exec/instructions/half.h"
#include "exec/instructions/integer_types.h"
#include "exec/instructions/vector_loop.h"

namespace vgpu {
namespace {

using ptx::Type;

template <class T>
T element(const std::byte* lanes, std::size_t offset) {
  T value;
  std::memcpy(&value, lanes + offset, sizeof value);
  return value;
}

// The encodings of real numbers in registers.
struct SingleCode {
  using Bits = std::uint32_t;
  static double value(Bits bits) { return double{bits_as<float>(bits)}; }
  static Bits code(double value) { return bits_as<Bits>(canonical(static_cast<float>(value))); }
};

struct DoubleCode {
  using Bits = std::uint64_t;
  static double value(Bits bits) { return bits_as<double>(bits); }
  static Bits code(double value) { return bits_as<Bits>(canonical(value)); }
};

template <class Format>
struct HalfCode {
  using Bits = std::uint16_t;
  static double value(Bits bits) { return double{widened<Format>(bits)}; }
  static Bits code(double value) { return encoded<Format>(value); }
};

template <class Code>
struct LoadReals {
  __attribute__((always_inline)) static inline void run(const std::byte* lanes, std::size_t stride, Row& row) {
    using Bits = typename Code::Bits;
    if (stride == sizeof(Bits)) {
      for (unsigned i = 0; i < kLanes; ++i) row.reals[i] = Code::value(element<Bits>(lanes, i * sizeof(Bits)));
    } else {
      for (unsigned i = 0; i < kLanes; ++i) row.reals[i] = Code::value(element<Bits>(lanes, i * stride));
    }
  }
};

template <class T>
struct LoadIntegers {
  __attribute__((always_inline)) static inline void run(const std::byte* lanes, std::size_t stride, Row& row) {
    if (stride == sizeof(T)) {
      for (unsigned i = 0; i < kLanes; ++i)
        row.integers[i] = static_cast<std::int64_t>(element<T>(lanes, i * sizeof(T)));
    } else {
      for (unsigned i = 0; i < kLanes; ++i) row.integers[i] = static_cast<std::int64_t>(element<T>(lanes, i * stride));
    }
  }
};

template <class Value>
void store_active(const Value* values, std::byte* lanes, Mask active) {
  auto* out = reinterpret_cast<Value*>(lanes);
  if (active == kAllLanes) {
    std::memcpy(out, values, kLanes * sizeof(Value));
  } else {
    for (unsigned i = 0; i < kLanes; ++i) out[i] = (active >> i & 1) != 0 ? values[i] : out[i];
  }
}

template <class T, class Register>
struct StoreIntegers {
  __attribute__((always_inline)) static inline void run(const Row& row, std::byte* lanes, Mask active) {
    alignas(64) Register values[kLanes];
    for (unsigned i = 0; i < kLanes; ++i) values[i] = static_cast<Register>(static_cast<T>(row.integers[i]));
    store_active(values, lanes, active);
  }
};

template <class Code, class Register>
struct StoreReals {
  __attribute__((always_inline)) static inline void run(const Row& row, std::byte* lanes, Mask active) {
    alignas(64) Register values[kLanes];
    for (unsigned i = 0; i < kLanes; ++i) values[i] = static_cast<Register>(Code::code(row.reals[i]));
    store_active(values, lanes, active);
  }
};

template <class Loop>
auto load_loop() {
  return ForThisMachine<Loop, const std::byte*, std::size_t, Row&>::best();
}

template <class Loop>
auto store_loop() {
  return ForThisMachine<Loop, const Row&, std::byte*, Mask>::best();
}

}  // namespace

decltype(Conversion::load) load_of(Type type) {
  switch (type) {
    case Type::kF16:
      return load_loop<LoadReals<HalfCode<Half>>>();
    case Type::kBF16:
      return load_loop<LoadReals<HalfCode<Brain>>>();
    case Type::kF32:
      return load_loop<LoadReals<SingleCode>>();
    case Type::kF64:
      return load_loop<LoadReals<DoubleCode>>();
    default:
      return for_all_integers(type, [](auto like) { return load_loop<LoadIntegers<decltype(like)>>(); });
  }
}

decltype(Conversion::store) store_of(Type type, std::size_t register_size) {
  const auto into_register = [&](auto store, std::size_t size) {
    return register_size < size ? nullptr : with_register(register_size, store);
  };
  switch (type) {
    case Type::kF16:
      return into_register([](auto like) { return store_loop<StoreReals<HalfCode<Half>, decltype(like)>>(); }, 2);
    case Type::kBF16:
      return register_size == 2 ? store_loop<StoreReals<HalfCode<Brain>, std::uint16_t>>() : nullptr;
    case Type::kF32:
      return into_register([](auto like) { return store_loop<StoreReals<SingleCode, decltype(like)>>(); }, 4);
    case Type::kF64:
      return register_size == 8 ? store_loop<StoreReals<DoubleCode, std::uint64_t>>() : nullptr;
    default:
      return for_all_integers(type, [&](auto like) {
        using T = decltype(like);
        return into_register([](auto wide) { return store_loop<StoreIntegers<T, decltype(wide)>>(); }, sizeof(T));
      });
  }
}

}  // namespace vgpu

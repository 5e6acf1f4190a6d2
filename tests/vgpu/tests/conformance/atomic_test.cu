// SPDX-License-Identifier: Apache-2.0
//
// Tests atom and red on integers and bits: the value in memory afterwards and the value returned.
#include <algorithm>
#include <limits>

#include "atomic_operations.cuh"

namespace atomic_test {

using namespace atomics;

template <class T>
std::vector<T> integers_of() {
  using Limits = std::numeric_limits<T>;
  return {0, 1, 2, T(-1), T(-2), Limits::min(), Limits::max(), Limits::max() / 3};
}

template <class Operation, class Expected>
void check(Expected expected) {
  using T = typename Operation::Value;
  check_all<Operation, T>(apply<Operation, T>, integers_of<T>(), expected, expected, [](T a, T b) { return a == b; });
}

TEST(Atomic, IntegerAdd) {
  check<AddU32>([](U32 a, U32 b) { return a + b; });
  check<AddS32>([](S32 a, S32 b) { return static_cast<S32>(static_cast<U32>(a) + static_cast<U32>(b)); });
  check<AddU64>([](U64 a, U64 b) { return a + b; });
}

TEST(Atomic, MinAndMax) {
  const auto least = [](auto a, auto b) { return std::min(a, b); };
  const auto most = [](auto a, auto b) { return std::max(a, b); };
  check<MinU32>(least);
  check<MinS32>(least);
  check<MinU64>(least);
  check<MinS64>(least);
  check<MaxU32>(most);
  check<MaxS32>(most);
  check<MaxU64>(most);
  check<MaxS64>(most);
}

TEST(Atomic, IncrementAndDecrement) {
  check<IncU32>([](U32 a, U32 b) { return a >= b ? 0 : a + 1; });
  check<DecU32>([](U32 a, U32 b) { return a == 0 || a > b ? b : a - 1; });
}

TEST(Atomic, Logic) {
  check<AndB32>([](U32 a, U32 b) { return a & b; });
  check<AndB64>([](U64 a, U64 b) { return a & b; });
  check<OrB32>([](U32 a, U32 b) { return a | b; });
  check<OrB64>([](U64 a, U64 b) { return a | b; });
  check<XorB32>([](U32 a, U32 b) { return a ^ b; });
  check<XorB64>([](U64 a, U64 b) { return a ^ b; });
}

TEST(Atomic, Exchange) {
  check<ExchB32>([](U32, U32 b) { return b; });
  check<ExchB64>([](U64, U64 b) { return b; });
}

}  // namespace atomic_test

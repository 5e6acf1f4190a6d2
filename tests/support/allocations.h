// SPDX-License-Identifier: Apache-2.0
//
// Counts the host allocations of a piece of code, in all threads, by replacing malloc() and operator new of the
// program.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace attn::test {

struct Allocations {
  std::int64_t all = 0;
  std::int64_t ours = 0;  // those whose caller is in one of our libraries
  std::string first;      // where the first of ours is called, as library+offset
};

Allocations count_allocations(const std::function<void()>& body);

}  // namespace attn::test

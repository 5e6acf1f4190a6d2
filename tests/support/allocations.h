// SPDX-License-Identifier: Apache-2.0
//
// Counts the host allocations that all threads make while a function runs, or lets one of them fail, by replacing the
// program's malloc() and operator new.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace attn::test {

struct Allocations {
  std::int64_t all = 0;
  std::int64_t ours = 0;  // calls from within this project's libraries
  std::string first;      // the call site of the first of these, as library+offset
};

Allocations count_allocations(const std::function<void()>& body);

// Runs body() and lets the n-th allocation fail, counted from 1. Returns how many there were.
std::int64_t fail_allocation(std::int64_t n, const std::function<void()>& body);

}  // namespace attn::test

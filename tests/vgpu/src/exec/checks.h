// SPDX-License-Identifier: Apache-2.0
//
// The state that the checks keep for a block while it runs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "exec/launch.h"
#include "memory/locations.h"
#include "memory/order.h"

namespace vgpu {

struct Grid;
class Warp;

class Checks {
 public:
  Checks(const Grid& grid, std::uint64_t block, std::size_t warps);

  bool initialised() const { return initialised_; }
  Order* order() { return order_.get(); }  // null if race detection is off

  // The clocks released at each word, by address / 4, or by offset / 4 in shared memory.
  Locations& global_locations() { return *global_locations_; }
  Locations& shared_locations() { return shared_locations_; }

  // A strong read acquires what has been released when the value is read, which is after the checks. The acquire is
  // therefore performed when the warp next makes an access or synchronises.
  void acquire_later(const Warp& warp, LaneSet lanes, const Locations& locations, std::uint64_t word);
  void acquire_now(const Warp& warp);

  // Returns the live allocation that contains the bytes, or null if there is none. A kernel may free it concurrently,
  // but its bytes and its shadow remain usable until the kernel ends.
  Allocation* holding(std::uint64_t address, std::size_t count);

 private:
  struct Acquire {
    LaneSet lanes;
    const Locations* locations;
    std::uint64_t word;
  };

  bool initialised_;
  std::unique_ptr<Order> order_;
  Heap* heap_;
  Locations* global_locations_;
  Locations shared_locations_;
  std::vector<std::vector<Acquire>> acquires_;  // by warp
  std::array<Allocation*, 8> recent_{};
  std::size_t oldest_ = 0;
};

}  // namespace vgpu

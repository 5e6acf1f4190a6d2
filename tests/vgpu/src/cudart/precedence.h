// SPDX-License-Identifier: Apache-2.0
//
// Determines which operations are ordered before which, regardless of the order in which they happen to run: by the
// order of a stream, by events, by the edges of a graph, and because the host waited for one before it issued the
// other. Each operation has a vector clock. Operations are numbered along chains, in which each operation comes after
// the previous one. A new operation continues a chain whose end is ordered before it, if there is one, so there are
// about as many chains as operations that may run concurrently.
//
// What one host thread has waited for counts as known to all host threads, since they may have told each other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace vgpu::cudart {

using Clock = std::vector<std::uint32_t>;  // by chain: number of its operations that come before; 0 if missing

struct Moment {
  std::uint64_t number = 0;  // number of the operation in the order of submission
  Clock before;
  std::uint32_t chain = 0, place = 0;  // places in a chain count from 1
};

class Precedence {
 public:
  // Adds an operation that comes after these. Null entries are ignored.
  Moment next(int device, const std::vector<const Moment*>& after, std::string label);

  bool comes_after(const Moment& later, std::uint64_t earlier) const;
  const std::string& label(std::uint64_t number) const { return entries_[number - first_].label; }
  // Operations with smaller numbers come before everything that is still running or will be submitted.
  std::uint64_t first() const { return first_; }

  // The host has learned that this operation, or everything submitted to the device so far, has completed.
  void host_knows(const Moment& moment);
  void host_knows_all(int device);
  // Nothing is left to run. If the host knows that as well, the past is forgotten.
  void all_done();

 private:
  struct Entry {
    std::uint32_t chain, place;
    std::string label;
  };

  std::uint64_t first_ = 0;
  std::deque<Entry> entries_;       // the operations from number first_ on
  Clock ends_;                      // the last place of each chain
  Clock known_;                     // what the host knows
  std::map<int, Clock> submitted_;  // by device
};

}  // namespace vgpu::cudart

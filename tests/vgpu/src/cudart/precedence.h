// SPDX-License-Identifier: Apache-2.0
//
// Which operations come before which, whatever order they happen to run in: by the order of a stream, by events, by the
// edges of a graph, and because the host waited for one before it issued the other. Each operation has a vector clock.
// Operations are numbered along chains, in each of which every one comes after the one before it; a new operation
// continues a chain whose end comes before it, if there is one, so that there are about as many chains as operations
// that may run at once.
//
// What one host thread has waited for counts as known to all of them, since they may have told each other.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace vgpu::cudart {

using Clock = std::vector<std::uint32_t>;  // by chain: how many of its operations come before; missing ones count as 0

struct Moment {
  std::uint64_t number = 0;  // of the operation, in the order of submission
  Clock before;
  std::uint32_t chain = 0, place = 0;  // the place in the chain counts from 1
};

class Precedence {
 public:
  // The next operation, which comes after these. Null entries are ignored.
  Moment next(int device, const std::vector<const Moment*>& after, std::string label);

  bool comes_after(const Moment& later, std::uint64_t earlier) const;
  const std::string& label(std::uint64_t number) const { return entries_[number - first_].label; }
  // Operations with smaller numbers come before everything that is submitted from now on or still runs.
  std::uint64_t first() const { return first_; }

  // The host has learned that this has happened; that all which was submitted to a device has.
  void host_knows(const Moment& moment);
  void host_knows_all(int device);
  // Nothing is left to run: where the host knows that too, the past is forgotten.
  void all_done();

 private:
  struct Entry {
    std::uint32_t chain, place;
    std::string label;
  };

  std::uint64_t first_ = 0;
  std::deque<Entry> entries_;       // from number first_ on
  Clock ends_;                      // the last place of each chain
  Clock known_;                     // to the host
  std::map<int, Clock> submitted_;  // by device
};

}  // namespace vgpu::cudart

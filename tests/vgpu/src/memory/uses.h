// SPDX-License-Identifier: Apache-2.0
//
// Which bytes of an allocation pieces of work (kernels, copies, fills) have read and written, to find those that touch
// the same bytes in no order. A byte remembers its last write and the reads since then, each with its work; an access
// is forgotten when later work that comes after it makes one that conflicts with all that the former conflicts with.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace vgpu {

// A strong access (an atomic, volatile or otherwise strong one) conflicts with plain ones alone.
enum class Use : std::uint8_t { kRead, kWrite, kStrongRead, kStrongWrite };
constexpr std::size_t kUses = 4;
constexpr bool is_write(Use use) { return use == Use::kWrite || use == Use::kStrongWrite; }

class UseHistory {
 public:
  struct Conflict {
    std::uint64_t earlier_work;
    bool wrote_earlier, writes_now;
    std::size_t offset;  // of the first byte
  };

  explicit UseHistory(std::size_t size);
  ~UseHistory();
  UseHistory(const UseHistory&) = delete;
  UseHistory& operator=(const UseHistory&) = delete;

  // The work that runs now touches these bytes. Threads may call this at once. True for the first call since settle().
  bool mark(Use use, std::size_t offset, std::size_t count);

  // Ends work `number`, which all marks since the last call belong to. `comes_after(n)`: whether it comes after work n.
  // Work before number `first` came before everything. Returns one of its conflicts with earlier work.
  std::optional<Conflict> settle(std::uint64_t number, std::uint64_t first,
                                 const std::function<bool(std::uint64_t)>& comes_after);

 private:
  static constexpr std::size_t kPageBytes = 4096, kWords = kPageBytes / 64;
  using Bits = std::array<std::atomic<std::uint64_t>, kWords>;  // a bit for each byte of a page
  struct Uses;
  struct Page;

  Page& page(std::size_t index);
  void mark_in_page(std::size_t index, Use use, std::size_t begin, std::size_t end);

  std::vector<std::atomic<Page*>> pages_;
  std::atomic<bool> marked_{false};
  std::mutex mutex_;
  std::vector<std::size_t> touched_;  // pages with marks
};

}  // namespace vgpu

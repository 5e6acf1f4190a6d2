// SPDX-License-Identifier: Apache-2.0
//
// Records which bytes of an allocation each unit of work (a kernel, copy or fill) has read and written, to find
// unordered work that accesses the same bytes. For each byte, the last write and the reads since then are recorded with
// their work. A recorded access is forgotten once later, ordered work makes an access that conflicts with everything
// the recorded one conflicts with.
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

// A strong access (volatile, atomic and the like) only conflicts with accesses that are not strong.
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

  // Records that the current work uses these bytes. May be called concurrently. Returns true for the first call since
  // settle().
  bool mark(Use use, std::size_t offset, std::size_t count);

  // Ends work `number`, which all marks since the last call belong to. `comes_after(n)` says whether it is ordered
  // after work n. Work before number `first` is ordered before everything. Returns one of its conflicts with earlier
  // work, if there is any.
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
  std::vector<std::size_t> touched_;  // the pages that have marks
};

}  // namespace vgpu

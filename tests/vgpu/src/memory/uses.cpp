// SPDX-License-Identifier: Apache-2.0
#include "memory/uses.h"

#include <algorithm>
#include <utility>

namespace vgpu {
namespace {

constexpr std::size_t kBits = 64;  // bits of a word

std::uint64_t ones(std::size_t begin, std::size_t end) {  // both within one word
  const std::uint64_t below_end = end == kBits ? ~std::uint64_t{0} : (std::uint64_t{1} << end) - 1;
  return below_end & ~((std::uint64_t{1} << begin) - 1);
}

}  // namespace

// ---- how one kernel, copy or fill uses the bytes of a page ----------------------------------------------------------

// For each kind of use: null if no byte is used, a set of bytes, or the one set that is shared by all pages which are
// used as a whole.
struct UseHistory::Uses {
  std::array<std::atomic<Bits*>, kUses> sets{};
  std::uint64_t work = 0;

  Uses() = default;
  Uses(Uses&& other) noexcept : work(other.work) {
    for (std::size_t use = 0; use < kUses; ++use) sets[use] = other.sets[use].exchange(nullptr);
  }
  Uses& operator=(Uses&& other) noexcept {
    for (std::size_t use = 0; use < kUses; ++use) replace(use, other.sets[use].exchange(nullptr));
    work = other.work;
    return *this;
  }
  ~Uses() {
    for (std::size_t use = 0; use < kUses; ++use) replace(use, nullptr);
  }

  static Bits* whole_page() {
    static Bits* bits = [] {
      auto* all = new Bits;
      for (auto& word : *all) word = ~std::uint64_t{0};
      return all;
    }();
    return bits;
  }

  void replace(std::size_t use, Bits* with) {
    Bits* old = sets[use].exchange(with);
    if (old != whole_page()) delete old;
  }
  std::uint64_t word(Use use, std::size_t index) const {
    const Bits* bits = sets[static_cast<std::size_t>(use)].load(std::memory_order_relaxed);
    return bits == nullptr ? 0 : (*bits)[index].load(std::memory_order_relaxed);
  }
  bool empty() const {
    return std::all_of(sets.begin(), sets.end(), [](const auto& set) { return set == nullptr; });
  }

  void compact() {
    for (std::size_t use = 0; use < kUses; ++use) {
      const Bits* bits = sets[use];
      if (bits == nullptr || bits == whole_page()) continue;
      if (std::all_of(bits->begin(), bits->end(), [](const auto& word) { return word == ~std::uint64_t{0}; }))
        replace(use, whole_page());
    }
  }

  // Forgets the bytes whose bits are set in `covered(index of the word)`.
  template <class Covered>
  void subtract(Use of, Covered covered) {
    const auto use = static_cast<std::size_t>(of);
    Bits* bits = sets[use];
    if (bits == nullptr) return;
    std::uint64_t left = 0;
    if (bits == whole_page()) {
      for (std::size_t i = 0; i < kWords; ++i) left |= ~covered(i);
      if (left == 0) return replace(use, nullptr);
      auto copy = std::make_unique<Bits>();
      for (std::size_t i = 0; i < kWords; ++i) (*copy)[i] = ~covered(i);
      return replace(use, copy.release());
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::uint64_t rest = (*bits)[i].load(std::memory_order_relaxed) & ~covered(i);
      (*bits)[i].store(rest, std::memory_order_relaxed);
      left |= rest;
    }
    if (left == 0) replace(use, nullptr);
  }

  // Forgets the uses that `now` covers: any later work that conflicts with one of them also conflicts with `now`.
  void forget_what_is_covered_by(const Uses& now) {
    const auto plain_write = [&](std::size_t i) { return now.word(Use::kWrite, i); };
    subtract(Use::kWrite, plain_write);
    subtract(Use::kRead, [&](std::size_t i) { return plain_write(i) | now.word(Use::kRead, i); });
    subtract(Use::kStrongWrite, [&](std::size_t i) { return plain_write(i) | now.word(Use::kStrongWrite, i); });
    subtract(Use::kStrongRead, [&](std::size_t i) {
      return plain_write(i) | now.word(Use::kRead, i) | now.word(Use::kStrongWrite, i) | now.word(Use::kStrongRead, i);
    });
  }

  // Returns the first byte on which the two uses conflict, if there is one.
  std::optional<Conflict> conflict_with(const Uses& earlier) const {
    constexpr std::array<std::pair<Use, Use>, 9> kConflicts = {{{Use::kWrite, Use::kWrite},
                                                                {Use::kWrite, Use::kRead},
                                                                {Use::kRead, Use::kWrite},
                                                                {Use::kStrongWrite, Use::kWrite},
                                                                {Use::kWrite, Use::kStrongWrite},
                                                                {Use::kStrongWrite, Use::kRead},
                                                                {Use::kRead, Use::kStrongWrite},
                                                                {Use::kStrongRead, Use::kWrite},
                                                                {Use::kWrite, Use::kStrongRead}}};
    for (const auto& [mine, other] : kConflicts) {
      if (sets[static_cast<std::size_t>(mine)] == nullptr || earlier.sets[static_cast<std::size_t>(other)] == nullptr)
        continue;
      for (std::size_t i = 0; i < kWords; ++i) {
        const std::uint64_t both = word(mine, i) & earlier.word(other, i);
        if (both == 0) continue;
        const auto bit = static_cast<std::size_t>(__builtin_ctzll(both));
        return Conflict{earlier.work, is_write(other), is_write(mine), i * kBits + bit};
      }
    }
    return std::nullopt;
  }
};

struct UseHistory::Page {
  Uses now;
  std::atomic<bool> touched{false};
  std::vector<Uses> past;
};

// ---- an allocation --------------------------------------------------------------------------------------------------

UseHistory::UseHistory(std::size_t size) : pages_((size + kPageBytes - 1) / kPageBytes) {}

UseHistory::~UseHistory() {
  for (std::atomic<Page*>& page : pages_) delete page.load();
}

UseHistory::Page& UseHistory::page(std::size_t index) {
  Page* found = pages_[index].load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  auto fresh = std::make_unique<Page>();
  if (pages_[index].compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *found;
}

bool UseHistory::mark(Use use, std::size_t offset, std::size_t count) {
  for (const std::size_t end = offset + count; offset < end;) {
    const std::size_t index = offset / kPageBytes, begin = offset % kPageBytes;
    const std::size_t in_page = std::min(kPageBytes - begin, end - offset);
    mark_in_page(index, use, begin, begin + in_page);
    offset += in_page;
  }
  return !marked_.load(std::memory_order_relaxed) && !marked_.exchange(true);
}

void UseHistory::mark_in_page(std::size_t index, Use use, std::size_t begin, std::size_t end) {
  Page& in = page(index);
  std::atomic<Bits*>& set = in.now.sets[static_cast<std::size_t>(use)];
  Bits* bits = set.load(std::memory_order_acquire);
  if (bits == nullptr) {
    std::unique_ptr<Bits> fresh;
    Bits* wanted = Uses::whole_page();
    if (end - begin < kPageBytes) {
      fresh = std::make_unique<Bits>();
      wanted = fresh.get();
    }
    if (set.compare_exchange_strong(bits, wanted, std::memory_order_acq_rel)) bits = wanted, fresh.release();
    if (!in.touched.exchange(true)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      touched_.push_back(index);
    }
  }
  for (std::size_t word = begin / kBits; word * kBits < end; ++word) {
    const std::size_t first = word * kBits;
    const std::uint64_t mask = ones(std::max(begin, first) - first, std::min(end - first, kBits));
    std::atomic<std::uint64_t>& place = (*bits)[word];
    if ((place.load(std::memory_order_relaxed) & mask) != mask) place.fetch_or(mask, std::memory_order_relaxed);
  }
}

std::optional<UseHistory::Conflict> UseHistory::settle(std::uint64_t number, std::uint64_t first,
                                                       const std::function<bool(std::uint64_t)>& comes_after) {
  std::optional<Conflict> conflict;
  for (const std::size_t index : std::exchange(touched_, {})) {
    Page& in = page(index);
    in.touched = false;
    in.now.work = number;
    in.now.compact();
    for (Uses& earlier : in.past) {
      if (earlier.work < first) {
        earlier = Uses{};
      } else if (comes_after(earlier.work)) {
        earlier.forget_what_is_covered_by(in.now);
      } else if (!conflict) {
        conflict = in.now.conflict_with(earlier);
        if (conflict) conflict->offset += index * kPageBytes;
      }
    }
    in.past.erase(std::remove_if(in.past.begin(), in.past.end(), [](const Uses& uses) { return uses.empty(); }),
                  in.past.end());
    in.past.push_back(std::move(in.now));
  }
  marked_ = false;
  return conflict;
}

}  // namespace vgpu

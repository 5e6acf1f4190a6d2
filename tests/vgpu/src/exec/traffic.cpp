// SPDX-License-Identifier: Apache-2.0
#include "exec/traffic.h"

#include <algorithm>

#include "exec/instructions/lanes.h"

namespace vgpu {
namespace {

constexpr std::uint64_t kSector = 32;
constexpr std::uint64_t kBankBytes = 4;
constexpr std::uint64_t kBanks = 32;
constexpr std::uint64_t kWavefront = kBanks * kBankBytes;

// Returns the number of distinct 32-byte sectors that the lanes access.
std::uint64_t sectors_of(const Access& access, Mask lanes, const std::uint64_t* at) {
  std::array<std::uint64_t, kLanes> firsts;
  std::size_t count = 0;
  std::uint64_t sectors = 0;
  bool sorted = true;
  for_each_lane(lanes, [&](unsigned lane) {
    const std::uint64_t first = at[lane] / kSector;
    // Only bulk copies are larger than a sector, and no two lanes share a sector of these.
    sectors += (at[lane] + access.bytes - 1) / kSector - first;
    if (count > 0 && firsts[count - 1] == first) return;
    sorted = sorted && (count == 0 || firsts[count - 1] < first);
    firsts[count++] = first;
  });
  if (!sorted) {
    std::sort(firsts.begin(), firsts.begin() + count);
    count = static_cast<std::size_t>(std::unique(firsts.begin(), firsts.begin() + count) - firsts.begin());
  }
  return sectors + count;
}

// Returns whether all words lie so close together that no two of them are in the same bank.
bool within_a_wavefront(const Access& access, Mask lanes, const std::uint64_t* at) {
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t last = 0;
  for_each_lane(lanes, [&](unsigned lane) {
    first = std::min(first, at[lane]);
    last = std::max(last, at[lane]);
  });
  return (last + access.bytes - 1) / kBankBytes - first / kBankBytes < kBanks;
}

// Returns the number of passes (wavefronts) that the banks need. In a pass, each bank provides one word to all lanes
// that read or write it; atomic operations are served one lane at a time.
std::uint64_t passes_of(const Access& access, Mask lanes, const std::uint64_t* at) {
  const bool shares = access.kind != Access::Kind::kAtomic;
  if (shares && within_a_wavefront(access, lanes, at)) return 1;
  std::array<std::array<std::uint64_t, kLanes>, kBanks> words;
  std::array<std::uint8_t, kBanks> counts{};
  std::uint8_t most = 0;
  for_each_lane(lanes, [&](unsigned lane) {
    const std::uint64_t end = at[lane] + access.bytes;
    for (std::uint64_t word = at[lane] / kBankBytes; word * kBankBytes < end; ++word) {
      const auto first = words[word % kBanks].begin();
      std::uint8_t& count = counts[word % kBanks];
      if (shares && std::find(first, first + count, word) != first + count) continue;
      first[count++] = word;
      most = std::max(most, count);
    }
  });
  return most;
}

}  // namespace

void count_global(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at) {
  const std::uint64_t bytes = std::uint64_t{access.bytes} * static_cast<unsigned>(__builtin_popcount(lanes));
  switch (access.kind) {
    case Access::Kind::kRead:
      ++counters.global_loads;
      counters.global_load_bytes += bytes;
      counters.global_load_sectors += sectors_of(access, lanes, at);
      break;
    case Access::Kind::kWrite:
      ++counters.global_stores;
      counters.global_store_bytes += bytes;
      counters.global_store_sectors += sectors_of(access, lanes, at);
      break;
    case Access::Kind::kAtomic:
      ++counters.global_atomics;
      break;
    case Access::Kind::kFree:
      break;
  }
}

// The number of lanes served together is limited by the width of a wavefront: half a warp for accesses of 8 bytes, a
// quarter of a warp for 16 bytes.
void count_shared(Counters& counters, const Access& access, Mask lanes, const std::uint64_t* at) {
  ++counters.shared_requests;
  const std::uint64_t together = std::min<std::uint64_t>(kWavefront / std::max<std::uint64_t>(access.bytes, 1), kLanes);
  if (together == 0) {  // a copy larger than a wavefront
    const auto copies = static_cast<unsigned>(__builtin_popcount(lanes));
    counters.shared_wavefronts += copies * ((access.bytes + kWavefront - 1) / kWavefront);
    return;
  }
  const Mask group = together == kLanes ? kAllLanes : (Mask{1} << together) - 1;
  for (std::uint64_t first = 0; first < kLanes; first += together) {
    const Mask served = lanes & group << first;
    if (served == 0) continue;
    const std::uint64_t passes = passes_of(access, served, at);
    counters.shared_wavefronts += passes;
    counters.shared_conflicts += passes - 1;
  }
}

}  // namespace vgpu

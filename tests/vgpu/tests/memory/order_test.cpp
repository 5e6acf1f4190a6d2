// SPDX-License-Identifier: Apache-2.0
//
// Compares Order with a model that keeps a full vector clock for each thread. Whatever the model orders, Order must
// order too, because correct programs would otherwise be reported. The reverse holds where warps synchronise as a
// whole.
#include "memory/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "memory/races.h"

namespace vgpu {
namespace {

constexpr unsigned kBlocks = 2, kWarps = 2, kLanesUsed = 4, kThreads = kBlocks * kWarps * kLanesUsed;
constexpr LaneSet kAlive = (1u << kLanesUsed) - 1;
constexpr std::uint64_t kPlaces = 3;

struct Thread {
  unsigned block, warp, lane;
  unsigned number() const { return (block * kWarps + warp) * kLanesUsed + lane; }
};

using Clock = std::vector<unsigned>;  // for each thread, how many of its accesses are known

void join(Clock& clock, const Clock& other) {
  for (std::size_t i = 0; i < clock.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

// Runs Order and the model together.
class Pair {
 public:
  Pair() : orders_{Order(0, kWarps), Order(1, kWarps)} {}

  void access(const Thread& t) {
    const unsigned number = t.number();
    accesses_.push_back({number, known_[number][number]++, touch_of(t)});
  }

  void meet(unsigned block, unsigned warp, LaneSet lanes) {
    orders_[block].meet(warp, lanes, kAlive);
    join_threads(threads_of(block, warp, lanes));
  }

  void fence(const Thread& t) {
    orders_[t.block].fence(t.warp, LaneSet{1} << t.lane);
    fenced_[t.number()] = known_[t.number()];
  }

  void release(const Thread& t, std::uint64_t place, bool relaxed) {
    orders_[t.block].release(t.warp, t.lane, locations_, place, relaxed);
    orders_[t.block].tick(t.warp);
    join(released_[place], relaxed ? fenced_[t.number()] : known_[t.number()]);
  }

  void acquire(unsigned block, unsigned warp, LaneSet lanes, std::uint64_t place) {
    orders_[block].acquire(warp, lanes, kAlive, locations_, place);
    for (const unsigned number : threads_of(block, warp, lanes)) join(known_[number], released_[place]);
  }

  // The warps in `waiting` wait; the other warps of the block only arrive.
  void barrier(unsigned block, unsigned waiting) {
    std::vector<unsigned> all;
    for (unsigned warp = 0; warp < kWarps; ++warp) {
      meet(block, warp, kAlive);
      orders_[block].arrive(warp, 3);
      for (const unsigned number : threads_of(block, warp, kAlive)) all.push_back(number);
    }
    Clock known = together(known_, all), fenced = together(fenced_, all);
    for (unsigned warp = 0; warp < kWarps; ++warp) {
      if ((waiting >> warp & 1) == 0) continue;
      orders_[block].pass(warp, 3);
      for (const unsigned number : threads_of(block, warp, kAlive)) known_[number] = known, fenced_[number] = fenced;
    }
    orders_[block].reset(3);
  }

  // Compares both for this thread and every access so far, and returns how many accesses only Order considers ordered.
  unsigned compare(const Thread& t) const {
    unsigned generous = 0;
    for (const Access& access : accesses_) {
      const bool ordered = known_[t.number()][access.thread] > access.index;
      const bool said = happened_before(access.touch, touch_of(t), orders_[t.block].past(t.warp, t.lane));
      EXPECT_TRUE(said || !ordered) << "thread " << t.number() << " knows of access " << access.index << " of thread "
                                    << access.thread;
      if (said && !ordered) ++generous;
    }
    return generous;
  }

 private:
  struct Access {
    unsigned thread, index;
    Touch touch;
  };

  Touch touch_of(const Thread& t) const {
    return {t.block, orders_[t.block].now(t.warp), LaneSet{1} << t.lane, Touch::site_of(t.warp, false, 1)};
  }

  static std::vector<unsigned> threads_of(unsigned block, unsigned warp, LaneSet lanes) {
    std::vector<unsigned> numbers;
    for (unsigned lane = 0; lane < kLanesUsed; ++lane)
      if ((lanes >> lane & 1) != 0) numbers.push_back(Thread{block, warp, lane}.number());
    return numbers;
  }

  static Clock together(const std::vector<Clock>& clocks, const std::vector<unsigned>& threads) {
    Clock all(kThreads);
    for (const unsigned number : threads) join(all, clocks[number]);
    return all;
  }

  void join_threads(const std::vector<unsigned>& threads) {
    const Clock known = together(known_, threads), fenced = together(fenced_, threads);
    for (const unsigned number : threads) known_[number] = known, fenced_[number] = fenced;
  }

  std::vector<Order> orders_;
  Locations locations_;
  std::vector<Clock> known_ = std::vector<Clock>(kThreads, Clock(kThreads));
  std::vector<Clock> fenced_ = known_;
  std::vector<Clock> released_ = std::vector<Clock>(kPlaces, Clock(kThreads));
  std::vector<Access> accesses_;
};

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  Thread thread() { return {below(kBlocks), below(kWarps), below(kLanesUsed)}; }

 private:
  std::mt19937 random_;
};

TEST(Order, orders_whatever_is_ordered) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Chance chance(seed);
    Pair pair;
    for (unsigned step = 0; step < 80; ++step) {
      const Thread t = chance.thread();
      switch (chance.below(10)) {
        case 0:
          pair.meet(t.block, t.warp, kAlive);
          break;
        case 1:
          pair.meet(t.block, t.warp, 1 + chance.below(kAlive));
          break;
        case 2:
          pair.fence(t);
          break;
        case 3:
          pair.release(t, chance.below(kPlaces), chance.below(2) == 0);
          break;
        case 4:
          pair.acquire(t.block, t.warp, 1 + chance.below(kAlive), chance.below(kPlaces));
          break;
        case 5:
          pair.barrier(t.block, chance.below(1u << kWarps));
          break;
        default:
          pair.access(t);
      }
      pair.compare(chance.thread());
    }
    for (unsigned number = 0; number < kThreads; ++number)
      pair.compare({number / (kWarps * kLanesUsed), number / kLanesUsed % kWarps, number % kLanesUsed});
    if (HasFailure()) FAIL() << "with seed " << seed;
  }
}

TEST(Order, is_exact_where_warps_synchronise_as_a_whole) {
  unsigned generous = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    Chance chance(seed);
    Pair pair;
    for (unsigned step = 0; step < 80; ++step) {
      const Thread t = chance.thread();
      const unsigned place = chance.below(kPlaces);
      switch (chance.below(8)) {
        case 0:
          pair.meet(t.block, t.warp, kAlive);
          break;
        case 1:
          pair.barrier(t.block, chance.below(1u << kWarps));
          break;
        case 2:  // one lane signals on behalf of its warp
          pair.meet(t.block, t.warp, kAlive);
          pair.release({t.block, t.warp, 0}, place, false);
          break;
        case 3:
          pair.acquire(t.block, t.warp, kAlive, place);
          break;
        default:
          pair.access(t);
      }
      generous += pair.compare(chance.thread());
    }
  }
  EXPECT_EQ(generous, 0u);
}

// An atomic operation without a preceding fence orders nothing.
TEST(Order, a_relaxed_write_releases_what_a_fence_did) {
  Order order(0, 1), other(1, 1);
  Locations locations;
  const Touch early{0, order.now(0), 1, Touch::site_of(0, false, 1)};
  order.release(0, 0, locations, 7, true);
  other.acquire(0, 1, 1, locations, 7);
  const Touch reader{1, other.now(0), 1, Touch::site_of(0, false, 1)};
  EXPECT_FALSE(happened_before(early, reader, other.past(0, 0)));

  order.fence(0, 1);
  const Touch late{0, order.now(0), 1, Touch::site_of(0, false, 1)};
  order.release(0, 0, locations, 7, true);
  other.acquire(0, 1, 1, locations, 7);
  EXPECT_TRUE(happened_before(early, reader, other.past(0, 0)));
  EXPECT_FALSE(happened_before(late, reader, other.past(0, 0)));
}

}  // namespace
}  // namespace vgpu

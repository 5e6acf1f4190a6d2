// SPDX-License-Identifier: Apache-2.0
//
// Checks random programs of kernels and events in streams of every kind against CUDA's ordering rules.
#include <cstdint>
#include <random>

#include "support.h"

namespace programs::orders_test {

using Set = std::uint64_t;  // bit i represents kernel i
constexpr int kKernels = 64;

// Records that kernel `me` has run, and how many of its predecessors had not run before.
__global__ void note(int* done, int* missing, int me, Set before) {
  for (int i = 0; i < kKernels; ++i)
    if ((before >> i & 1) != 0 && done[i] == 0) ++*missing;
  done[me] = 1;
}

// A Lane is a stream and the kernels that must precede its next kernel. A Mark is an event and the kernels that it
// covers.
struct Lane {
  cudaStream_t handle;
  bool blocking;
  Set before = 0;
};
struct Mark {
  Event event;
  Set before = 0;
};

// A model of the ordering rules, which is updated with each call.
class Program {
 public:
  explicit Program(unsigned seed) : random_(seed) {
    EXPECT_EQ(cudaMallocHost(&done_, (kKernels + 1) * sizeof(int)), cudaSuccess);
    for (int i = 0; i <= kKernels; ++i) done_[i] = 0;
    lanes_ = {{nullptr, true}, {blocking_[0], true}, {blocking_[1], true}, {free_[0], false}, {free_[1], false}};
  }
  ~Program() { EXPECT_EQ(cudaFreeHost(done_), cudaSuccess); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void issue() {
    for (int kernel = 0; kernel < kKernels;) {
      Lane& lane = lanes_[pick(lanes_.size())];
      Mark& mark = marks_[pick(4)];
      order(lane);
      switch (pick(4)) {
        case 0:
          EXPECT_EQ(cudaEventRecord(mark.event, lane.handle), cudaSuccess);
          mark.before = lane.before;
          break;
        case 1:
          EXPECT_EQ(cudaStreamWaitEvent(lane.handle, mark.event), cudaSuccess);
          lane.before |= mark.before;
          break;
        default:
          note<<<1, 1, 0, lane.handle>>>(done_, done_ + kKernels, kernel, lane.before);
          lane.before |= Set{1} << kernel++;
      }
      if (&lane == &legacy())
        for (Lane& other : lanes_)
          if (other.blocking) other.before |= lane.before;
    }
  }

  // Waits for streams and events in random order. After each wait, the kernels they cover must have run; where work
  // runs on demand, no other kernel may have run.
  void wait() {
    Set wanted = 0;
    for (int i = 0; i < 6; ++i) {
      if (pick(2) == 0) {
        Lane& lane = lanes_[pick(lanes_.size())];
        order(lane);
        EXPECT_EQ(cudaStreamSynchronize(lane.handle), cudaSuccess);
        wanted |= lane.before;
      } else {
        const Mark& mark = marks_[pick(4)];
        EXPECT_EQ(cudaEventSynchronize(mark.event), cudaSuccess);
        wanted |= mark.before;
      }
      EXPECT_EQ(done() & wanted, wanted);
      if (runs_on_demand()) EXPECT_EQ(done(), wanted);
    }
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(done(), ~Set{0});
    EXPECT_EQ(done_[kKernels], 0) << "kernels ran before what they had to wait for";
  }

 private:
  Lane& legacy() { return lanes_[0]; }
  std::size_t pick(std::size_t count) { return random_() % count; }
  // The legacy stream waits for the blocking streams.
  void order(Lane& lane) {
    if (&lane != &legacy()) return;
    for (const Lane& other : lanes_)
      if (other.blocking) lane.before |= other.before;
  }
  Set done() const {
    Set set = 0;
    for (int i = 0; i < kKernels; ++i) set |= Set{done_[i] != 0} << i;
    return set;
  }

  std::mt19937 random_;
  int* done_ = nullptr;  // [kKernels], then the number of missing predecessors
  Stream blocking_[2]{Stream(cudaStreamDefault), Stream(cudaStreamDefault)};
  Stream free_[2];
  std::vector<Lane> lanes_;
  Mark marks_[4];
};

TEST(Orders, RandomProgramsKeepTheRules) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Program program(seed);
    program.issue();
    program.wait();
  }
}

TEST(Orders, SeedsKeepTheRules) {
  if (!is_virtual()) GTEST_SKIP() << "this is a GPU";
  for (const char* seed : {"VGPU_SEED=1", "VGPU_SEED=2", "VGPU_SEED=3"}) {
    const Outcome outcome = run_alone("Orders.RandomProgramsKeepTheRules", seed);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
  }
}

}  // namespace programs::orders_test

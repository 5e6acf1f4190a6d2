// SPDX-License-Identifier: Apache-2.0
//
// Asynchronous work. An operation waits for others and runs when somebody demands it or something that waits for it, and not
// before: a result that was never waited for is never there. Given a seed, whatever else is ready may run first, in any
// order, so that both outcomes of a missing dependency come up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "cudart/cuda_api.h"

namespace vgpu::cudart {

struct Operation;
using OperationPtr = std::shared_ptr<Operation>;

struct Operation {
  enum class State : std::uint8_t { kWaiting, kRunning, kDone };
  std::function<void()> work;  // empty: only marks a place
  int device = 0;
  std::uint64_t number = 0;  // in the order of submission
  State state = State::kWaiting;
  std::vector<OperationPtr> after;     // not done yet when this was submitted
  std::vector<Operation*> dependents;  // that name this in `after`
  std::size_t blockers = 0;            // of `after`, not done
  std::chrono::steady_clock::time_point finished;

  bool done() const { return state == State::kDone; }
};

class Engine {
 public:
  // All members are called with `mutex` held; while an operation runs it is released.
  Engine(std::mutex& mutex, std::uint64_t seed) : mutex_(mutex), seed_(seed), random_(seed) {}

  // Null entries of `after` count as done.
  OperationPtr submit(int device, std::vector<OperationPtr> after, std::function<void()> work);

  void complete(const OperationPtr& target);  // null: nothing to do
  void complete_all(int device);
  // Runs one operation on the way to the target, if it is not done. True: it was done already.
  bool advance(const OperationPtr& target);

  // The error that ended the device's work; everything it had not done yet was dropped.
  cudaError_t fault(int device) const;
  void reset(int device);  // drops waiting work and forgets the fault

 private:
  OperationPtr choose(std::vector<OperationPtr>& path);
  void run(const OperationPtr& operation);
  void finish(Operation& operation);
  void drop(const OperationPtr& operation);
  void drop_all(int device);

  std::mutex& mutex_;
  std::condition_variable_any changed_;
  bool busy_ = false;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::uint64_t submitted_ = 0;
  std::map<std::uint64_t, OperationPtr> pending_;  // waiting or running, by number
  std::vector<OperationPtr> ready_;                // those of them that wait for nothing
  std::map<int, cudaError_t> faults_;
};

}  // namespace vgpu::cudart

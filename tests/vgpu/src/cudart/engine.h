// SPDX-License-Identifier: Apache-2.0
//
// Asynchronous work. An operation waits for others and runs when somebody demands it or something that waits for it, and not
// before: a result that was never waited for is never there. Given a seed, whatever else is ready may run first, in any
// order, so that both outcomes of a missing dependency come up.
//
// Host functions run in a thread of their own, as in CUDA: one may take a lock that a thread holds which asks for the state
// of the stream, or wait for what the program does next. What it does can be waited for without any call of CUDA that demands
// it, so after a while that thread sees to it that waiting host functions get their turn.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/precedence.h"

namespace vgpu::cudart {

struct Operation;
using OperationPtr = std::shared_ptr<Operation>;

struct Operation {
  enum class State : std::uint8_t { kWaiting, kRunning, kDone };
  enum class Place : std::uint8_t {
    kDevice,
    kHost,
    kHostDespiteFaults,  // runs even where the device's work has ended in a fault
  };
  std::function<void()> work;  // empty: only marks a place
  Place place = Place::kDevice;
  int device = 0;
  std::uint64_t number = 0;  // in the order of submission
  Moment moment;
  State state = State::kWaiting;
  std::vector<OperationPtr> after;     // not done yet when this was submitted
  std::vector<Operation*> dependents;  // that name this in `after`
  std::size_t blockers = 0;            // of `after`, not done
  std::chrono::steady_clock::time_point submitted, finished;

  bool done() const { return state == State::kDone; }
};

class Engine {
 public:
  // All members are called with `mutex` held; while an operation runs it is released.
  Engine(std::mutex& mutex, std::uint64_t seed) : mutex_(mutex), seed_(seed), random_(seed) {}
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Null entries of `after` count as done. The label is what messages call the operation.
  OperationPtr submit(int device, std::vector<OperationPtr> after, std::function<void()> work,
                      Operation::Place place = Operation::Place::kDevice, std::string label = "");

  // The host waits, and knows from then on that what it waited for has happened. Null: nothing to do.
  void complete(const OperationPtr& target);
  void complete_all(int device);  // that was submitted before the call
  // Runs one operation on the way to the target, if it is not done. True: it was done already, as the host now knows.
  bool advance(const OperationPtr& target);
  const Precedence& precedence() const { return precedence_; }
  // Nothing runs any more without being asked for, and nothing is running but host functions.
  void stop();

  // The error that ended the device's work; everything it had not done yet was dropped.
  cudaError_t fault(int device) const;
  void reset(int device);  // drops waiting work and forgets the fault

 private:
  using Path = std::vector<OperationPtr>;
  void work_towards(const OperationPtr& target);
  void host_knows(const Operation& operation);
  OperationPtr next_on(Path& path);
  OperationPtr choose(Path& path);
  void start(const OperationPtr& operation);
  void run(const OperationPtr& operation);
  bool runs_something(int device) const;
  void finish(Operation& operation);
  void drop(const OperationPtr& operation);
  void drop_all(int device);

  bool in_host_thread() const { return std::this_thread::get_id() == host_thread_.get_id(); }
  void serve_host_functions();
  OperationPtr waiting_host_function() const;  // null: none

  std::mutex& mutex_;
  std::condition_variable_any changed_;
  bool busy_ = false;  // with anything but a host function
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::uint64_t submitted_ = 0;
  Precedence precedence_;
  std::map<std::uint64_t, OperationPtr> pending_;  // waiting or running, by number
  std::vector<OperationPtr> ready_;                // those of them that wait for nothing
  std::map<int, cudaError_t> faults_;

  std::thread host_thread_;          // from the first host function on
  std::deque<OperationPtr> handed_;  // host functions that it is to run
  std::uint64_t activity_ = 0;       // operations that were submitted and that were run
  bool stopped_ = false;
  bool ending_ = false;
};

}  // namespace vgpu::cudart

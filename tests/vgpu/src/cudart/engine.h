// SPDX-License-Identifier: Apache-2.0
//
// Asynchronous work. An operation depends on others and runs only when the program waits for it or for an operation
// that depends on it, so a result that was never waited for never appears. With a seed, other ready operations may run
// first, in any order, so that both outcomes of a missing dependency occur.
//
// Host functions run in a thread of their own, as in CUDA: one may take a lock that is held by a thread which queries
// the stream, or wait for a later action of the program. A program can wait for the effect of a host function without a
// CUDA call, so that thread runs pending host functions after a delay.
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
    kHostDespiteFaults,  // runs even after the device had a fault
  };
  std::function<void()> work;  // empty for a marker
  Place place = Place::kDevice;
  int device = 0;
  std::uint64_t number = 0;  // in the order of submission
  Moment moment;
  State state = State::kWaiting;
  std::vector<OperationPtr> after;     // those not complete when this was submitted
  std::vector<Operation*> dependents;  // operations that have this one in their `after`
  std::size_t blockers = 0;            // number of entries of `after` that are not complete
  std::chrono::steady_clock::time_point submitted, finished;

  bool done() const { return state == State::kDone; }
};

class Engine {
 public:
  // All members must be called with `mutex` held. It is released while an operation runs.
  Engine(std::mutex& mutex, std::uint64_t seed) : mutex_(mutex), seed_(seed), random_(seed) {}
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Null entries of `after` count as complete. The label is the name of the operation in messages.
  OperationPtr submit(int device, std::vector<OperationPtr> after, std::function<void()> work,
                      Operation::Place place = Operation::Place::kDevice, std::string label = "");

  // Waits on behalf of the host, which then knows that the target has completed. If the target is null, there is
  // nothing to do.
  void complete(const OperationPtr& target);
  void complete_all(int device);  // waits for what was submitted before the call
  // If the target is not complete, runs one operation towards its completion. Returns true if it was complete already,
  // which the host then knows.
  bool advance(const OperationPtr& target);
  const Precedence& precedence() const { return precedence_; }
  // Waits until only host functions are running. From then on operations run only on demand.
  void stop();

  // Returns the error that ended the device's work and dropped its pending operations.
  cudaError_t fault(int device) const;
  void reset(int device);  // drops pending work and clears the fault

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
  OperationPtr waiting_host_function() const;  // null if there is none

  std::mutex& mutex_;
  std::condition_variable_any changed_;
  bool busy_ = false;  // whether an operation other than a host function is running
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::uint64_t submitted_ = 0;
  Precedence precedence_;
  std::map<std::uint64_t, OperationPtr> pending_;  // waiting or running, by number
  std::vector<OperationPtr> ready_;                // the pending ones without incomplete dependencies
  std::map<int, cudaError_t> faults_;

  std::thread host_thread_;          // started by the first host function
  std::deque<OperationPtr> handed_;  // host functions that this thread has to run
  std::uint64_t activity_ = 0;       // number of operations submitted or run so far
  bool stopped_ = false;
  bool ending_ = false;
};

}  // namespace vgpu::cudart

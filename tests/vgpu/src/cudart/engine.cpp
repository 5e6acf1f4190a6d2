// SPDX-License-Identifier: Apache-2.0
#include "cudart/engine.h"

#include <algorithm>
#include <new>
#include <utility>

#include "cudart/error.h"

namespace vgpu::cudart {
namespace {

// A host function that waits gets its turn when nothing has been issued or run for kPatience, and in any case after
// kMostPatience, in case the program never stops issuing work.
constexpr std::chrono::milliseconds kPatience{20}, kMostPatience{1000};

}  // namespace

Engine::~Engine() {
  if (!host_thread_.joinable()) return;
  stop();
  ending_ = true;
  mutex_.unlock();
  host_thread_.join();
  mutex_.lock();
}

OperationPtr Engine::submit(int device, std::vector<OperationPtr> after, std::function<void()> work,
                            Operation::Place place, std::string label) {
  ++activity_;
  auto operation = std::make_shared<Operation>();
  operation->place = place;
  operation->device = device;
  operation->number = submitted_++;
  operation->submitted = std::chrono::steady_clock::now();
  operation->work = std::move(work);
  std::vector<const Moment*> moments;
  for (const OperationPtr& other : after) moments.push_back(other == nullptr ? nullptr : &other->moment);
  operation->moment = precedence_.next(device, moments, std::move(label));
  for (OperationPtr& other : after) {
    if (other == nullptr || other->done()) continue;
    other->dependents.push_back(operation.get());
    operation->after.push_back(std::move(other));
  }
  operation->blockers = operation->after.size();
  pending_[operation->number] = operation;
  if (operation->blockers == 0) ready_.push_back(operation);
  if (place != Operation::Place::kDevice) {
    if (!host_thread_.joinable()) host_thread_ = std::thread([this] { serve_host_functions(); });
    changed_.notify_all();
  }
  return operation;
}

// Returns null if everything runnable is being run by other threads.
OperationPtr Engine::next_on(Path& path) {
  if (in_host_thread() && !handed_.empty()) {
    OperationPtr handed = std::move(handed_.front());
    handed_.pop_front();
    return handed;
  }
  return busy_ ? nullptr : choose(path);
}

// `path` leads from the target to an operation that can run: each entry depends on the next. With a seed, any ready
// operation may be chosen.
OperationPtr Engine::choose(Path& path) {
  if (seed_ != 0) {
    if (ready_.empty()) return nullptr;
    return ready_[std::uniform_int_distribution<std::size_t>(0, ready_.size() - 1)(random_)];
  }
  while (!path.empty()) {
    const OperationPtr last = path.back();
    if (last->state == Operation::State::kRunning) return nullptr;
    if (last->done()) {
      path.pop_back();
      continue;
    }
    const auto blocker =
        std::find_if(last->after.begin(), last->after.end(), [](const auto& one) { return !one->done(); });
    if (blocker == last->after.end()) return last;
    path.push_back(*blocker);
  }
  return nullptr;
}

void Engine::work_towards(const OperationPtr& target) {
  Path path{target};
  while (!target->done() && !(stopped_ && in_host_thread())) {
    const OperationPtr next = next_on(path);
    if (next != nullptr) {
      start(next);
    } else {
      changed_.wait(mutex_);
    }
  }
}

void Engine::complete(const OperationPtr& target) {
  if (target == nullptr) return;
  work_towards(target);
  host_knows(*target);
}

void Engine::host_knows(const Operation& operation) {
  precedence_.host_knows(operation.moment);
  if (pending_.empty()) precedence_.all_done();
}

void Engine::complete_all(int device) {
  const std::uint64_t end = submitted_;
  precedence_.host_knows_all(device);
  while (true) {
    const auto next = std::find_if(pending_.begin(), pending_.end(),
                                   [&](const auto& entry) { return entry.second->device == device; });
    if (next == pending_.end() || next->first >= end) break;
    work_towards(OperationPtr(next->second));
  }
  if (pending_.empty()) precedence_.all_done();
}

bool Engine::advance(const OperationPtr& target) {
  if (target == nullptr) return true;
  if (target->done()) {
    host_knows(*target);
    return true;
  }
  Path path{target};
  const OperationPtr next = next_on(path);
  if (next != nullptr) start(next);
  return false;
}

void Engine::start(const OperationPtr& operation) {
  if (operation->state == Operation::State::kWaiting) {
    ready_.erase(std::find(ready_.begin(), ready_.end(), operation));
    operation->state = Operation::State::kRunning;
  }
  if (operation->place == Operation::Place::kDevice || in_host_thread()) {
    run(operation);
  } else {
    handed_.push_back(operation);
    changed_.notify_all();
  }
}

void Engine::run(const OperationPtr& operation) {
  const bool on_device = operation->place == Operation::Place::kDevice;
  if (on_device) busy_ = true;
  // A host function may inform any thread about what has happened before it.
  if (!on_device) precedence_.host_knows(operation->moment);
  cudaError_t outcome = cudaSuccess;
  mutex_.unlock();
  try {
    if (operation->work) operation->work();
  } catch (const Failure& failure) {
    outcome = failure.code;
  } catch (const std::bad_alloc&) {
    outcome = cudaErrorMemoryAllocation;
  }
  mutex_.lock();
  ++activity_;
  if (on_device) busy_ = false;
  finish(*operation);
  if (outcome != cudaSuccess) {
    faults_[operation->device] = outcome;
    drop_all(operation->device);
  }
  changed_.notify_all();
}

void Engine::finish(Operation& operation) {
  operation.state = Operation::State::kDone;
  operation.finished = std::chrono::steady_clock::now();
  operation.work = nullptr;
  operation.after.clear();
  for (Operation* dependent : operation.dependents)
    if (!dependent->done() && --dependent->blockers == 0) ready_.push_back(pending_.at(dependent->number));
  operation.dependents.clear();
  pending_.erase(operation.number);
}

// Completes the operation without running it, and releases its dependents.
void Engine::drop(const OperationPtr& operation) {
  for (const OperationPtr& other : operation->after) {
    auto& dependents = other->dependents;
    dependents.erase(std::remove(dependents.begin(), dependents.end(), operation.get()), dependents.end());
  }
  finish(*operation);
}

void Engine::drop_all(int device) {
  std::vector<OperationPtr> dropped;
  for (const auto& [number, operation] : pending_) {
    const bool waits = operation->device == device && operation->state == Operation::State::kWaiting;
    if (waits && operation->place != Operation::Place::kHostDespiteFaults) dropped.push_back(operation);
  }
  for (const OperationPtr& operation : dropped) drop(operation);
  ready_.erase(std::remove_if(ready_.begin(), ready_.end(), [](const auto& one) { return one->done(); }), ready_.end());
}

cudaError_t Engine::fault(int device) const {
  const auto found = faults_.find(device);
  return found == faults_.end() ? cudaSuccess : found->second;
}

bool Engine::runs_something(int device) const {
  return std::any_of(pending_.begin(), pending_.end(), [&](const auto& entry) {
    return entry.second->device == device && entry.second->state == Operation::State::kRunning;
  });
}

void Engine::reset(int device) {
  while (runs_something(device)) changed_.wait(mutex_);
  drop_all(device);
  precedence_.host_knows_all(device);
  if (pending_.empty()) precedence_.all_done();
  faults_.erase(device);
}

// ---- host functions -------------------------------------------------------------------------------------------------

OperationPtr Engine::waiting_host_function() const {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [](const auto& entry) {
    return entry.second->place != Operation::Place::kDevice && entry.second->state == Operation::State::kWaiting;
  });
  return found == pending_.end() ? nullptr : found->second;
}

void Engine::serve_host_functions() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ending_) {
    Path nowhere;
    if (!handed_.empty()) {
      start(next_on(nowhere));
      continue;
    }
    const OperationPtr waiting = stopped_ ? nullptr : waiting_host_function();
    if (waiting == nullptr) {
      changed_.wait(mutex_);
      continue;
    }
    const std::uint64_t before = activity_;
    const bool is_quiet = changed_.wait_for(mutex_, kPatience) == std::cv_status::timeout && activity_ == before;
    const bool is_overdue = std::chrono::steady_clock::now() - waiting->submitted > kMostPatience;
    if ((is_quiet || is_overdue) && !busy_) work_towards(waiting);
  }
}

void Engine::stop() {
  stopped_ = true;
  changed_.notify_all();
  while (busy_) changed_.wait(mutex_);
}

}  // namespace vgpu::cudart

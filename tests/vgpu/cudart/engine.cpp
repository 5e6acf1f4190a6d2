// SPDX-License-Identifier: Apache-2.0
#include "cudart/engine.h"

#include <algorithm>
#include <utility>

#include "cudart/error.h"

namespace vgpu::cudart {

OperationPtr Engine::submit(int device, std::vector<OperationPtr> after, std::function<void()> work) {
  auto operation = std::make_shared<Operation>();
  operation->device = device;
  operation->number = submitted_++;
  operation->work = std::move(work);
  for (OperationPtr& other : after) {
    if (other == nullptr || other->done()) continue;
    other->dependents.push_back(operation.get());
    operation->after.push_back(std::move(other));
  }
  operation->blockers = operation->after.size();
  pending_[operation->number] = operation;
  if (operation->blockers == 0) ready_.push_back(operation);
  return operation;
}

// `path` leads from the target to something that can run: each entry waits for the next. With a seed, anything ready will do.
OperationPtr Engine::choose(std::vector<OperationPtr>& path) {
  if (seed_ != 0) {
    if (ready_.empty()) return nullptr;
    return ready_[std::uniform_int_distribution<std::size_t>(0, ready_.size() - 1)(random_)];
  }
  while (!path.empty()) {
    const OperationPtr last = path.back();
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

void Engine::complete(const OperationPtr& target) {
  if (target == nullptr) return;
  std::vector<OperationPtr> path{target};
  while (!target->done()) {
    if (busy_) {
      changed_.wait(mutex_);
      continue;
    }
    run(choose(path));
  }
}

void Engine::complete_all(int device) {
  while (true) {
    const auto next = std::find_if(pending_.begin(), pending_.end(),
                                   [&](const auto& entry) { return entry.second->device == device; });
    if (next == pending_.end()) return;
    complete(OperationPtr(next->second));
  }
}

bool Engine::advance(const OperationPtr& target) {
  if (target == nullptr || target->done()) return true;
  std::vector<OperationPtr> path{target};
  if (!busy_) run(choose(path));
  return false;
}

void Engine::run(const OperationPtr& operation) {
  ready_.erase(std::find(ready_.begin(), ready_.end(), operation));
  operation->state = Operation::State::kRunning;
  busy_ = true;
  cudaError_t outcome = cudaSuccess;
  mutex_.unlock();
  try {
    if (operation->work) operation->work();
  } catch (const Failure& failure) {
    outcome = failure.code;
  }
  mutex_.lock();
  busy_ = false;
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

// As if it had run; those that wait for it no longer do.
void Engine::drop(const OperationPtr& operation) {
  for (const OperationPtr& other : operation->after) {
    auto& dependents = other->dependents;
    dependents.erase(std::remove(dependents.begin(), dependents.end(), operation.get()), dependents.end());
  }
  finish(*operation);
}

void Engine::drop_all(int device) {
  std::vector<OperationPtr> dropped;
  for (const auto& [number, operation] : pending_)
    if (operation->device == device && operation->state == Operation::State::kWaiting) dropped.push_back(operation);
  for (const OperationPtr& operation : dropped) drop(operation);
  ready_.erase(std::remove_if(ready_.begin(), ready_.end(), [](const auto& one) { return one->done(); }), ready_.end());
}

cudaError_t Engine::fault(int device) const {
  const auto found = faults_.find(device);
  return found == faults_.end() ? cudaSuccess : found->second;
}

void Engine::reset(int device) {
  while (busy_) changed_.wait(mutex_);
  drop_all(device);
  faults_.erase(device);
}

}  // namespace vgpu::cudart

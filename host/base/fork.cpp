// SPDX-License-Identifier: Apache-2.0
#include "base/fork.h"

#include <pthread.h>

#include <vector>

namespace attn::internal {
namespace {

thread_local bool forked = false;

struct HeldMutexes {
  std::mutex of_this_list;
  std::vector<std::mutex*> all;

  HeldMutexes() { pthread_atfork(lock, unlock, unlock_in_child); }

  static HeldMutexes& instance() {
    static auto* list = new HeldMutexes;  // never destroyed: fork() may be called while the process ends
    return *list;
  }

  static void lock() {
    HeldMutexes& held = instance();
    held.of_this_list.lock();
    for (std::mutex* mutex : held.all) mutex->lock();
  }
  static void unlock() {
    HeldMutexes& held = instance();
    for (std::mutex* mutex : held.all) mutex->unlock();
    held.of_this_list.unlock();
  }
  static void unlock_in_child() {
    unlock();
    forked = true;
  }
};

// When the library is loaded, because a child process can be the first to call it.
[[maybe_unused]] const HeldMutexes& registered = HeldMutexes::instance();

}  // namespace

bool in_forked_child() { return forked; }

void hold_during_fork(std::mutex& mutex) {
  HeldMutexes& held = HeldMutexes::instance();
  const std::lock_guard<std::mutex> lock(held.of_this_list);
  held.all.push_back(&mutex);
}

}  // namespace attn::internal

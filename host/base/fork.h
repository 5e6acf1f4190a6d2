// SPDX-License-Identifier: Apache-2.0
//
// What fork() needs so that the child process can go on using the libraries. A child has a single thread, and inherits
// locks that other threads of its parent may have held.
#pragma once

#include <mutex>

namespace attn::internal {

// Whether this thread called fork() in the parent process. OpenMP still counts on the threads that it had there, and a
// parallel region would wait for them forever.
bool in_forked_child();

// Has fork() wait for the mutex, so that the child finds it unlocked. The mutex must exist until the process ends.
void hold_during_fork(std::mutex& mutex);

}  // namespace attn::internal

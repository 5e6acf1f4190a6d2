// SPDX-License-Identifier: Apache-2.0
//
// The one way in which the libraries use threads. Work is divided into tasks by its shape and the handle's thread count
// alone, and the result of a task does not depend on the thread that runs it: the same count gives the same bits.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "base/fork.h"
#include "base/layout.h"

namespace attn::internal {

// For its lifetime, parallel regions without an explicit thread count, such as oneDNN's, run on the calling thread.
class SingleThreaded {
 public:
  SingleThreaded() : threads_before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~SingleThreaded() { omp_set_num_threads(threads_before_); }
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;

 private:
  int threads_before_;
};

// OpenMP ends the process if the system refuses a thread. Any system has 256, and some have that many processors.
inline int most_threads() { return std::max(256, omp_get_num_procs()); }

// Calls body(0), ..., body(tasks - 1), each once, on at most `threads` threads. If tasks throw, one of the exceptions
// is rethrown when all tasks have ended. In a forked child process the tasks run on the calling thread.
//
// The loop is not compiled once per instruction set as the loops of host/cpu are: some compilers do not give the
// function that they outline for a parallel region the instruction set of the function around it. A body that uses
// Highway is a lambda marked HWY_ATTR.
template <class Body>
void parallel_for(int threads, std::int64_t tasks, const Body& body) {
  const SingleThreaded inside_tasks;
  // Without a parallel region, for which OpenMP would allocate a team of one thread.
  if (threads == 1 || tasks <= 1 || in_forked_child()) {
    for (std::int64_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t task = 0; task < tasks; ++task) {
    try {
      body(task);
    } catch (...) {
#pragma omp critical(attn_parallel_for)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// Calls body(begin, end) for consecutive slices of 0 ... count - 1; all but the last have `slice` elements.
template <class Body>
void parallel_for_slices(int threads, std::int64_t count, std::int64_t slice, const Body& body) {
  parallel_for(threads, divide_up(count, slice),
               [&](std::int64_t n) { body(n * slice, std::min(count, (n + 1) * slice)); });
}

}  // namespace attn::internal

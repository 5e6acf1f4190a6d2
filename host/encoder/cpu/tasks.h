// SPDX-License-Identifier: Apache-2.0
//
// The one way in which the encoder uses threads: work is cut into tasks by its shape and the handle's thread count
// alone, and a task's result does not depend on who runs it, so the same count gives the same bits.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace attn::cpu {

// While it lives, parallel regions without an explicit count, such as oneDNN's, stay on the thread they start on.
class SingleThreaded {
 public:
  SingleThreaded() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~SingleThreaded() { omp_set_num_threads(before_); }
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;

 private:
  int before_;
};

// body(0), ..., body(count - 1), on at most `threads` threads. One failure, if any, is rethrown at the end.
template <class Body>
void run_tasks(int threads, std::int64_t count, const Body& body) {
  const SingleThreaded inside_tasks;
  const int workers = static_cast<int>(std::clamp<std::int64_t>(count, 1, threads));
  std::exception_ptr failure;
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
  for (std::int64_t task = 0; task < count; ++task) {
    try {
      body(task);
    } catch (...) {
#pragma omp critical(attn_encoder_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// body(begin, end) over 0..count in pieces of `grain`, the last one shorter.
template <class Body>
void run_pieces(int threads, std::int64_t count, std::int64_t grain, const Body& body) {
  run_tasks(threads, (count + grain - 1) / grain,
            [&](std::int64_t piece) { body(piece * grain, std::min(count, (piece + 1) * grain)); });
}

}  // namespace attn::cpu

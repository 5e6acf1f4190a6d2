// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace attn::internal::cpu {

// Blocks asynchronous signals in this thread for its lifetime; they are delivered when the mask is restored.
//
// oneDNN's generated matrix products (2.6.3, with AVX2 and AVX-512) use the stack pointer as a general register that
// points into a heap buffer. The kernel writes the frame of a signal handler below the stack pointer, so a handler that
// interrupts such a product overwrites the heap. Faults (SIGSEGV and the like) stay unblocked: blocking them would turn
// a crash report into a silent kill. glibc keeps two signals of its own, for pthread_cancel() and setuid(), out of
// reach of any mask.
class AsynchronousSignalsBlocked {
 public:
  AsynchronousSignalsBlocked() {
    sigset_t asynchronous;
    sigfillset(&asynchronous);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&asynchronous, fault);
    pthread_sigmask(SIG_BLOCK, &asynchronous, &before_);
  }
  ~AsynchronousSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AsynchronousSignalsBlocked(const AsynchronousSignalsBlocked&) = delete;
  AsynchronousSignalsBlocked& operator=(const AsynchronousSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace attn::internal::cpu

// SPDX-License-Identifier: Apache-2.0
#include "support/allocations.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* pointer);
}

namespace attn::test {
namespace {

std::atomic<bool> counting{false};
std::atomic<std::int64_t> to_fail{0};  // its number; 0: none
std::atomic<std::int64_t> all{0}, ours{0};
std::atomic<const void*> first_of_ours{nullptr};

bool is_ours(const void* caller) {
  Dl_info info{};
  return dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
         std::strstr(info.dli_fname, "libattn_cuda") != nullptr;
}

// Returns whether this allocation has to fail.
bool note(const void* caller) {
  if (!counting) return false;
  if (++all == to_fail) return true;
  if (to_fail == 0 && is_ours(caller)) {
    ++ours;
    const void* none = nullptr;
    first_of_ours.compare_exchange_strong(none, caller);
  }
  return false;
}

void* allocate(std::size_t bytes) {
  void* const pointer = __libc_malloc(bytes == 0 ? 1 : bytes);
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

void* out_of_memory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

// Always inlined, so that the return address is the one in the function that called the allocator.
[[gnu::always_inline]] inline bool has_to_fail() { return note(__builtin_return_address(0)); }

std::int64_t fail_allocation(std::int64_t n, const std::function<void()>& body) {
  all = 0;
  to_fail = n;
  counting = true;
  body();
  counting = false;
  to_fail = 0;
  return all;
}

Allocations count_allocations(const std::function<void()>& body) {
  all = ours = 0;
  first_of_ours = nullptr;
  counting = true;
  body();
  counting = false;
  Allocations result{all, ours, ""};
  Dl_info info{};
  if (const void* const caller = first_of_ours; caller != nullptr && dladdr(caller, &info) != 0)
    result.first = std::string(info.dli_fname) + "+" +
                   std::to_string(static_cast<const char*>(caller) - static_cast<const char*>(info.dli_fbase));
  return result;
}

}  // namespace attn::test

using attn::test::has_to_fail;
using attn::test::out_of_memory;

extern "C" {
void* malloc(std::size_t bytes) { return has_to_fail() ? out_of_memory() : __libc_malloc(bytes); }
void* calloc(std::size_t count, std::size_t bytes) {
  return has_to_fail() ? out_of_memory() : __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) { return has_to_fail() ? out_of_memory() : __libc_realloc(old, bytes); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return has_to_fail() ? out_of_memory() : __libc_memalign(alignment, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  return has_to_fail() ? out_of_memory() : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** pointer, std::size_t alignment, std::size_t bytes) {
  if (has_to_fail()) return ENOMEM;
  *pointer = __libc_memalign(alignment, bytes);
  return *pointer == nullptr ? ENOMEM : 0;
}
void free(void* pointer) { __libc_free(pointer); }
}

void* operator new(std::size_t bytes) {
  if (has_to_fail()) throw std::bad_alloc();
  return attn::test::allocate(bytes);
}
void* operator new[](std::size_t bytes) {
  if (has_to_fail()) throw std::bad_alloc();
  return attn::test::allocate(bytes);
}
void operator delete(void* pointer) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer) noexcept { __libc_free(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { __libc_free(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { __libc_free(pointer); }

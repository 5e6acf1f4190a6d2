// SPDX-License-Identifier: Apache-2.0
//
// The argument rules shared by every entry point of both libraries. Each message reads
// "<argument>: expected <rule>, got <value>".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include "attn_cuda/attn_cuda.h"
#include "base/dtype.h"
#include "base/failure.h"

namespace attn::internal {

[[noreturn]] inline void reject(const std::string& argument, const std::string& expected, const std::string& got) {
  throw Failure(ATTN_INVALID_ARGUMENT, argument + ": expected " + expected + ", got " + got);
}

inline void require_size(const char* name, std::int64_t value, std::int64_t least) {
  if (value < least) reject(name, "at least " + std::to_string(least), std::to_string(value));
}

inline void require_range(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most)
    reject(name, std::to_string(least) + " to " + std::to_string(most), std::to_string(value));
}

// The element count of a tensor of `rank` sizes, each >= 0. Rejects a tensor of more bytes than a pointer can address,
// and an empty one whose other sizes are as large: they are computed with all the same.
inline std::int64_t element_count(const char* name, const std::int64_t* sizes, std::size_t rank) {
  std::int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (std::size_t n = 0; n < rank; ++n) {
    if (sizes[n] == 0)
      empty = true;
    else
      overflow = overflow || __builtin_mul_overflow(count, sizes[n], &count);
  }
  // 16 bytes per element leave room for workspaces, which hold a few values per element.
  if (overflow || count > std::numeric_limits<std::int64_t>::max() / 16) {
    std::string shape;
    for (std::size_t n = 0; n < rank; ++n) shape += (n == 0 ? "[" : ", ") + std::to_string(sizes[n]);
    reject(name, "a shape of fewer than 2^59 elements", shape + "]");
  }
  return empty ? 0 : count;
}

inline std::int64_t element_count(const char* name, std::initializer_list<std::int64_t> sizes) {
  return element_count(name, sizes.begin(), sizes.size());
}

// A pointer may be null only if it points at no elements.
inline void require_pointer(const char* name, const void* pointer, std::int64_t elements = 1) {
  if (pointer == nullptr && elements > 0) reject(name, "a pointer", "null");
}

inline void require_alignment(const char* name, const void* pointer, std::size_t bytes) {
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(pointer) % bytes;
  if (past != 0)
    reject(name, "a pointer aligned to " + std::to_string(bytes) + " bytes",
           "one " + std::to_string(past) + " bytes past");
}

// The same for a pointer whose type says what it points at, which must be aligned to it: GPUs and some CPUs end the program
// otherwise.
template <class Element>
void require_pointer(const char* name, const Element* pointer, std::int64_t elements = 1) {
  require_pointer(name, static_cast<const void*>(pointer), elements);
  require_alignment(name, pointer, alignof(Element));
}

// The same for a tensor of a storage type.
inline void require_tensor(const char* name, const void* pointer, attn_dtype_t dtype, std::int64_t elements) {
  require_pointer(name, pointer, elements);
  require_alignment(name, pointer, element_bytes(dtype));
}

// Pointers that may be null.
template <class Element>
void require_optional(const char* name, const Element* pointer) {
  require_alignment(name, pointer, alignof(Element));
}
inline void require_optional(const char* name, const void* pointer, attn_dtype_t dtype) {
  require_alignment(name, pointer, element_bytes(dtype));
}

inline void require_dtype(const char* name, attn_dtype_t dtype) {
  const int code = static_cast<int>(dtype);
  if (code < ATTN_DTYPE_FP32 || code > ATTN_DTYPE_BF16) reject(name, "a value of attn_dtype_t", std::to_string(code));
}

inline void require_pass(const char* name, attn_pass_t pass) {
  if (pass != ATTN_PASS_FORWARD && pass != ATTN_PASS_BACKWARD)
    reject(name, "a value of attn_pass_t", std::to_string(static_cast<int>(pass)));
}

inline void require_flag(const char* name, std::int32_t value) {
  if (value != 0 && value != 1) reject(name, "0 or 1", std::to_string(value));
}

inline void require_directions(const char* name, std::int32_t directions) {
  if (directions != 1 && directions != 2) reject(name, "1 or 2", std::to_string(directions));
}

// Workspaces and reserve spaces: a pointer is required only where `bytes` > 0.
inline void require_aligned(const char* name, const void* memory, std::size_t bytes) {
  require_pointer(name, memory, static_cast<std::int64_t>(bytes));
  if (bytes > 0) require_alignment(name, memory, 64);
}

inline void require_workspace(const void* workspace, std::size_t bytes, std::size_t needed) {
  if (bytes < needed) reject("workspace_bytes", "at least " + std::to_string(needed), std::to_string(bytes));
  require_aligned("workspace", workspace, needed);
}

inline void require_ids(const char* name, const std::int32_t* ids, std::int64_t N, std::int64_t V) {
  for (std::int64_t n = 0; n < N; ++n)
    if (ids[n] < 0 || ids[n] >= V)
      reject(std::string(name) + "[" + std::to_string(n) + "]", "0 to V - 1 = " + std::to_string(V - 1),
             std::to_string(ids[n]));
}

// `lengths` in host memory, whose values can be checked here.
inline void require_lengths(const char* name, const std::int32_t* lengths, std::int64_t B, std::int64_t T) {
  if (lengths == nullptr) return;
  for (std::int64_t b = 0; b < B; ++b)
    if (lengths[b] < 0 || lengths[b] > T)
      reject(std::string(name) + "[" + std::to_string(b) + "]", "0 to T = " + std::to_string(T),
             std::to_string(lengths[b]));
}

// `cu_seqlens`, which excludes `lengths`. The values are checked if the host can read them.
inline void require_cu_seqlens(const char* name, const std::int32_t* cu_seqlens, const std::int32_t* lengths,
                               bool readable, std::int64_t B, std::int64_t T) {
  if (cu_seqlens == nullptr) return;
  if (lengths != nullptr) reject(name, "null where there are lengths", "a pointer");
  if (!readable) return;
  if (cu_seqlens[0] != 0) reject(std::string(name) + "[0]", "0", std::to_string(cu_seqlens[0]));
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int64_t first = cu_seqlens[b], end = cu_seqlens[b + 1];
    if (end < first || end - first > T)
      reject(std::string(name) + "[" + std::to_string(b + 1) + "]",
             std::to_string(first) + " to " + std::to_string(first) + " + T = " + std::to_string(first + T),
             std::to_string(end));
  }
}

}  // namespace attn::internal

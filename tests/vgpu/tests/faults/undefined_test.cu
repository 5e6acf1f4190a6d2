// SPDX-License-Identifier: Apache-2.0
//
// Tests speculative loads of uninitialised memory, executed before it is known whether the value is needed.
#include "findings.h"

namespace undefined_test {

using faults::Faults;

// Each function uses the last of 32 values, which is uninitialised; the others are 1.
using Use = int(int value, bool known, int* out);

template <Use use>
__global__ void load_ahead(int* out, int written) {
  __shared__ volatile int values[32];
  const int lane = static_cast<int>(threadIdx.x);
  if (lane < written) values[lane] = 1;
  __syncwarp();
  const int value = values[lane];
  out[lane] = use(value, lane < written, out);
}

class UndefinedValues : public Faults {
 protected:
  template <Use use>
  static void expect_unused(int* out) {
    expect_clean([=] { load_ahead<use><<<1, 32>>>(out, 31); });
  }

  // In the correct variant all 32 values are initialised. `by` is the instruction that depends on the value; the report
  // also names the instruction that loaded it.
  template <Use use>
  static void expect_used(int* out, const std::string& by) {
    expect_clean([=] { load_ahead<use><<<1, 32>>>(out, 32); });
    expect_finding(cudaErrorLaunchFailure,
                   {"uninitialised memory: read of 4 bytes at shared 0x7c", "thread (31, 0, 0)",
                    "depends on the value: " + by, ": ld.volatile.shared"},
                   [=] { load_ahead<use><<<1, 32>>>(out, 31); });
    cudaDeviceReset();
  }
};

__device__ int chosen(int value, int otherwise, int predicate) {
  int result = 0;
  asm("{ .reg .pred p; setp.ne.s32 p, %3, 0; selp.s32 %0, %1, %2, p; }"
      : "=r"(result)
      : "r"(value), "r"(otherwise), "r"(predicate));
  return result;
}

// Computes (value > 0 and known) or unknown.
__device__ int condition(int value, int known, int unknown) {
  int result = 0;
  asm("{ .reg .pred p, q, r; setp.gt.s32 p, %1, 0; setp.ne.s32 q, %2, 0; setp.ne.s32 r, %3, 0; and.pred p, p, q;"
      " or.pred p, r, p; selp.s32 %0, 1, 0, p; }"
      : "=r"(result)
      : "r"(value), "r"(known), "r"(unknown));
  return result;
}

__device__ int ignored(int, bool, int*) { return 1; }
__device__ int not_chosen(int value, bool known, int*) { return chosen(value * 3 + 1, 7, known); }
__device__ int decided_by_and(int value, bool known, int*) { return condition(value, known, 0); }
__device__ int decided_by_or(int value, bool known, int*) { return condition(value, 1, !known); }

TEST_F(UndefinedValues, unused) {
  int* out = zeros<int>(32);
  expect_unused<ignored>(out);
  expect_unused<not_chosen>(out);
  expect_unused<decided_by_and>(out);
  expect_unused<decided_by_or>(out);
}

__device__ int stored(int value, bool, int*) { return value; }
__device__ int computed_with(int value, bool, int*) { return (value ^ 5) * 3 + 1; }
__device__ int chosen_value(int value, bool known, int*) { return chosen(7, value, known); }
__device__ int choice(int value, bool, int*) { return chosen(1, 2, value); }
__device__ int decisive_and(int value, bool, int*) { return condition(value, 1, 0); }

TEST_F(UndefinedValues, written_to_memory) {
  expect_used<stored>(zeros<int>(32), "st.global");
  expect_used<computed_with>(zeros<int>(32), "st.global");
  expect_used<chosen_value>(zeros<int>(32), "st.global");
  expect_used<choice>(zeros<int>(32), "st.global");
  expect_used<decisive_and>(zeros<int>(32), "st.global");
}

__device__ int branch(int value, bool, int* out) {
  if (value > 0) atomicAdd(out + 40, 1);
  return 0;
}
__device__ int address(int value, bool, int* out) { return out[32 + (value & 7)]; }
__device__ int atomic(int value, bool, int* out) { return atomicMax(out + 40, value) & 0; }
__device__ int shuffle(int value, bool, int*) { return __shfl_xor_sync(0xffffffff, value, 1); }
__device__ int vote(int value, bool, int*) { return __any_sync(0xffffffff, value > 0); }

TEST_F(UndefinedValues, that_something_else_depends_on) {
  expect_used<branch>(zeros<int>(41), "@");
  expect_used<address>(zeros<int>(41), "ld.global");
  expect_used<atomic>(zeros<int>(41), "atom.");
  expect_used<shuffle>(zeros<int>(41), "shfl.");
  expect_used<vote>(zeros<int>(41), "vote.");
}

// The last of four elements is uninitialised. Only a use of that element is reported.
__global__ void of_a_vector(const int4* from, int* to, int* last) {
  const int4 four = *from;
  *to = four.x + four.y + four.z;
  if (last != nullptr) *last = four.w;
}

TEST_F(UndefinedValues, elements_of_a_vector) {
  int* from = allocated<int>(4);
  int* to = allocated<int>(2);
  ASSERT_EQ(cudaMemset(from, 0, 3 * sizeof(int)), cudaSuccess);
  const auto* four = reinterpret_cast<const int4*>(from);
  expect_clean([=] { of_a_vector<<<1, 1>>>(four, to, nullptr); });
  expect_finding(cudaErrorLaunchFailure, {"uninitialised memory: read of 16 bytes"},
                 [=] { of_a_vector<<<1, 1>>>(four, to, to + 1); });
}

}  // namespace undefined_test

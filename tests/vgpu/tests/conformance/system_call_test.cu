// SPDX-License-Identifier: Apache-2.0
//
// Tests the system calls of kernels: printf, malloc and free.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>

#include "device_array.h"

namespace conformance::system_call_test {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

// Returns what the device prints while `launch` runs.
template <class Launch>
std::string printed_by(Launch launch) {
  testing::internal::CaptureStdout();
  launch();
  const cudaError_t outcome = cudaDeviceSynchronize();
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(outcome, cudaSuccess) << cudaGetErrorString(outcome);
  return text;
}

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char text[400];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

// Each line is printed both by the device and by the host; X receives a format and its arguments.
// clang-format off
#define INTEGER_LINES(X) \
  X("%d %i %u %o %x %X\n", -5, 2147483647, 4294967295u, 8u, 0xbeefu, 0xBEEFu) \
  X("[%5d|%-5d|%05d|%+d|% d|%.3d|%8.3d]\n", 42, 42, 42, 42, 42, 7, -7) \
  X("[%*d|%-*d|%.*d|%*.*d]\n", 6, 42, 6, 42, 4, 42, 8, 3, -42) \
  X("[%#x|%#o|%#X]\n", 255u, 8u, 255u) \
  X("%ld %lu %lld %llu %zu %lx\n", -9000000000L, 18446744073709551615UL, -1LL, 9000000000ULL, sizeof(int), \
  0xfedcba9876543210UL) \
  X("%hd %hu %hx\n", 70000, 70000u, 0x1ffffu) \
  X("%c%c%5c|%-3c|\n", 'o', 'k', 'x', 'y') \
  X("100%% of %d%%\n", 3)
#define FLOAT_LINES(X) \
  X("%f %e %g %E %G\n", 1.5, -12345.678, 1e-10, 1e100, 0.0001) \
  X("%a %A\n", 1.0, -0.1) \
  X("[%10.3f|%-10.2e|%+.0f|%#.0f|%010.4f]\n", 3.14159, 2.71828, 2.5, 2.5, -1.0) \
  X("%f %f %f\n", 1.0 / 0.0, -1.0 / 0.0, -0.0) \
  X("%.*f and %d %lf\n", 2, 1.2345, 7, 8.5)
#define STRING_LINES(X) \
  X("%s, %s%s\n", "hello", "", "world") \
  X("[%10s|%-10s|%.2s|%*s]\n", "right", "left", "cut", 4, "x") \
  X("%s %d %s %f %c\n", "mixed", 1, "kinds", 2.5, 'z')
// clang-format on
#define PRINT(...) printf(__VA_ARGS__);
#define FORMAT(...) +formatted(__VA_ARGS__)

__global__ void print_integers(){INTEGER_LINES(PRINT)} __global__ void print_floats(){FLOAT_LINES(PRINT)} __global__
    void print_strings(){STRING_LINES(PRINT)}

TEST(SystemCall, PrintsIntegers) {
  EXPECT_EQ(printed_by([] { print_integers<<<1, 1>>>(); }), std::string() INTEGER_LINES(FORMAT));
}
TEST(SystemCall, PrintsFloats) {
  EXPECT_EQ(printed_by([] { print_floats<<<1, 1>>>(); }), std::string() FLOAT_LINES(FORMAT));
}
TEST(SystemCall, PrintsStrings) {
  EXPECT_EQ(printed_by([] { print_strings<<<1, 1>>>(); }), std::string() STRING_LINES(FORMAT));
}

__global__ void print_pointer(const void* pointer) { printf("%p|%20p\n", pointer, pointer); }

TEST(SystemCall, PrintsPointers) {
  const void* pointer = reinterpret_cast<const void*>(0x7f0012345678);
  EXPECT_EQ(printed_by([=] { print_pointer<<<1, 1>>>(pointer); }), formatted("%p|%20p\n", pointer, pointer));
}

// Strings and formats need not be constants.
__global__ void print_copies(const char* text, int* returned) {
  __shared__ char shared[8];
  char local[8];
  for (int i = 0; i < 8; ++i) shared[i] = local[i] = text[i];
  local[0] = 'L';
  asm volatile("" ::"l"(local) : "memory");
  returned[0] = printf("%s %s %s\n", text, shared, local);
  returned[1] = printf(text);
  returned[2] = printf("\n");
  returned[3] = printf(nullptr);
}

TEST(SystemCall, PrintsFromAnySpaceAndCountsArguments) {
  const DeviceArray<char> text({'t', 'e', 'x', 't', '!', '\0', '\0', '\0'});
  const DeviceArray<int> returned(4);
  EXPECT_EQ(printed_by([&] { print_copies<<<1, 1>>>(text.get(), returned.get()); }), "text! text! Lext!\ntext!\n");
  EXPECT_EQ(returned.read(), (std::vector<int>{3, 0, 0, -1}));
}

__global__ void print_lanes() {
  if (threadIdx.x % 3 == 1) printf("%d of %d: %u\n", blockIdx.x, gridDim.x, threadIdx.x);
}

// Each active lane prints one line, in lane order; a GPU also keeps the order of the lines of a block.
TEST(SystemCall, PrintsOnceForEachLane) {
  std::string expected;
  for (U32 lane = 1; lane < 32; lane += 3) expected += formatted("%d of %d: %u\n", 0, 1, lane);
  EXPECT_EQ(printed_by([] { print_lanes<<<1, 32>>>(); }), expected);
  const std::string several = printed_by([] { print_lanes<<<3, 64>>>(); });
  for (int block = 0; block < 3; ++block)
    for (U32 thread = 1; thread < 64; thread += 3)
      EXPECT_NE(several.find(formatted("%d of %d: %u\n", block, 3, thread)), std::string::npos)
          << block << ", " << thread;
}

// ---- memory ---------------------------------------------------------------------------------------------------------

struct Node {
  Node* next;
  U32 value;
};

// Each thread builds a linked list that another thread frees.
__global__ void lists(Node** heads, U64* sums, int length) {
  const int thread = static_cast<int>(threadIdx.x);
  Node* head = nullptr;
  for (int i = 0; i < length + thread % 4; ++i) {
    Node* node = static_cast<Node*>(malloc(sizeof(Node)));
    node->next = head;
    node->value = threadIdx.x * 100 + static_cast<U32>(i);
    head = node;
  }
  heads[thread] = head;
  __syncthreads();
  U64 sum = 0;
  for (Node* node = heads[blockDim.x - 1 - threadIdx.x]; node != nullptr;) {
    sum += node->value;
    Node* next = node->next;
    free(node);
    node = next;
  }
  sums[thread] = sum;
}

TEST(SystemCall, AllocatesAndFrees) {
  constexpr int kThreads = 96, kLength = 5;
  const DeviceArray<Node*> heads(kThreads);
  const DeviceArray<U64> sums(kThreads);
  lists<<<1, kThreads>>>(heads.get(), sums.get(), kLength);
  const std::vector<U64> results = sums.read();
  for (int i = 0; i < kThreads; ++i) {
    const int owner = kThreads - 1 - i;
    U64 expected = 0;
    for (int k = 0; k < kLength + owner % 4; ++k) expected += static_cast<U64>(owner * 100 + k);
    EXPECT_EQ(results[static_cast<std::size_t>(i)], expected) << i;
  }
}

__device__ U32* kept;

__global__ void allocate(U32 count) {
  kept = static_cast<U32*>(malloc(count * sizeof(U32)));
  for (U32 i = 0; i < count; ++i) kept[i] = i * i;
}
__global__ void use_and_free(U64* sum, U32 count) {
  *sum = 0;
  for (U32 i = 0; i < count; ++i) *sum += kept[i];
  free(kept);
  free(nullptr);
}

// Memory that a kernel allocates remains valid in the next kernel.
TEST(SystemCall, MemoryOutlivesTheKernel) {
  const DeviceArray<U64> sum(1);
  allocate<<<1, 1>>>(1000);
  use_and_free<<<1, 1>>>(sum.get(), 1000);
  EXPECT_EQ(sum.read()[0], U64{332833500});
}

}  // namespace conformance::system_call_test

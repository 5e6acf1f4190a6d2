// SPDX-License-Identifier: Apache-2.0
//
// A host allocation that fails is reported as a status, wherever it is: one after the other, each allocation of a life
// of handles and plans fails once.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>

#include "attn_cuda/recurrent.h"
#include "support/allocations.h"

namespace attn::test {
namespace {

// Large enough for every tensor, workspace and reserve space.
alignas(64) std::array<float, 1 << 16> memory{};

constexpr std::int64_t B = 3, Q = 2, T = 9, A = 5, D = 6, H = 4;

attn_status_t use_attention(attn_handle_t handle) {
  attn_additive_desc_t desc{sizeof desc, ATTN_DTYPE_BF16, B, Q, T, A, D};
  attn_additive_forward_args_t args{};
  args.struct_size = sizeof args;
  args.q = args.k = args.v = args.x = memory.data();
  args.o = memory.data() + 1024;
  return attn_additive_forward(handle, &desc, &args, memory.data() + 4096, sizeof memory - 4096 * sizeof(float));
}

attn_status_t use_projections(attn_handle_t handle) {
  attn_projected_desc_t desc{sizeof desc, ATTN_DTYPE_FP32, B, Q, T, A, D, H, 1};
  attn_projected_forward_args_t args{};
  args.struct_size = sizeof args;
  args.x = args.h = memory.data();
  args.w_q = args.w_k = args.b = args.v = memory.data();
  args.o = memory.data() + 1024;
  args.reserve = memory.data() + 2048;
  return attn_projected_forward(handle, &desc, &args, memory.data() + 16384, sizeof memory - 16384 * sizeof(float));
}

attn_status_t use_encoder(attn_handle_t handle) {
  attn_recurrent_desc_t desc{};
  desc.struct_size = sizeof desc;
  desc.B = B, desc.T = T, desc.E = D, desc.H = H;
  desc.layers = 2, desc.directions = 2, desc.training = 1;
  desc.positions = T;
  attn_recurrent_t plan = nullptr;
  attn_status_t status = attn_recurrent_create(handle, &desc, &plan);
  if (status != ATTN_SUCCESS) return status;
  attn_recurrent_forward_args_t args{};
  args.struct_size = sizeof args;
  args.x = memory.data();
  args.parameters = memory.data();
  args.o = memory.data() + 4096;
  args.reserve = memory.data() + 8192;
  status = attn_recurrent_forward(plan, &args, memory.data() + 32768, sizeof memory - 32768 * sizeof(float));
  const attn_status_t destroyed = attn_recurrent_destroy(plan);
  return status != ATTN_SUCCESS ? status : destroyed;
}

// The status of the first call that failed. One thread, because OpenMP ends the process if it cannot start threads.
template <class Use>
attn_status_t live(const Use& use) {
  attn_handle_t handle = nullptr;
  attn_status_t status = attn_create(&handle, ATTN_BACKEND_CPU);
  if (status != ATTN_SUCCESS) return status;
  status = attn_set_threads(handle, 1);
  if (status == ATTN_SUCCESS) status = use(handle);
  const attn_status_t destroyed = attn_destroy(handle);
  return status != ATTN_SUCCESS ? status : destroyed;
}

template <class Use>
void expect_statuses(const Use& use) {
  ASSERT_EQ(live(use), ATTN_SUCCESS) << attn_last_error();
  std::int64_t reported = 0;
  for (std::int64_t n = 1;; ++n) {
    attn_status_t status = ATTN_SUCCESS;
    if (fail_allocation(n, [&] { status = live(use); }) < n) break;
    ASSERT_TRUE(status == ATTN_SUCCESS || status == ATTN_OUT_OF_MEMORY) << n << ": " << status << attn_last_error();
    if (status == ATTN_SUCCESS) continue;  // a vendor library can do without
    ++reported;
    ASSERT_EQ(live(use), ATTN_SUCCESS) << "after allocation " << n << ": " << attn_last_error();
  }
  EXPECT_GT(reported, 0);
}

TEST(AllocationFailure, Attention) { expect_statuses(use_attention); }
TEST(AllocationFailure, Projections) { expect_statuses(use_projections); }
TEST(AllocationFailure, Encoder) { expect_statuses(use_encoder); }

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
#include "bench/gpu.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace attn::bench {
namespace {

struct CountedCall final : Call {
  std::unique_ptr<Call> call;
  int runs = 0;

  void run() override {
    ++runs;
    call->run();
  }
};

class GpuTest : public testing::Test {
 protected:
  GpuTest() { call_.call = make_call(handle_, kPasses[0], shape_, ATTN_DTYPE_FP32); }

  Shape shape_{2, 1, 100, 32, 32};
  Handle handle_{ATTN_BACKEND_CUDA};
  Gpu gpu_;
  CountedCall call_;
};

TEST_F(GpuTest, TimesOneCallBehindAnother) {
  const double warm = gpu_.seconds(call_, Cache::warm);
  EXPECT_EQ(call_.runs, 2);
  const double cold = gpu_.seconds(call_, Cache::cold);
  EXPECT_EQ(call_.runs, 3);
  // The call takes far less than a minute anywhere, so the unit is right.
  for (const double seconds : {warm, cold}) {
    EXPECT_GE(seconds, 0);
    EXPECT_LT(seconds, 60);
  }
}

TEST_F(GpuTest, CountsOneCallOnTheVirtualGpuAlone) {
  call_.run();
  if (!gpu_.is_virtual()) {
    EXPECT_THROW(gpu_.counts(call_), std::runtime_error);
    return;
  }
  const auto counts = gpu_.counts(call_);
  const Cost cost = cost_of(kPasses[0], shape_);
  EXPECT_EQ(counts.at("launches"), 1);
  EXPECT_DOUBLE_EQ(counts.at("global_load_bytes") + counts.at("global_store_bytes"), static_cast<double>(cost.moved));
  EXPECT_GT(counts.at("warp_fma"), 0);
}

TEST_F(GpuTest, PeaksAreThoseOfTheDevice) {
  EXPECT_GT(gpu_.peak().bytes_per_second, 1e10);
  EXPECT_GT(gpu_.peak().tanhs_per_second, 1e11);
}

}  // namespace
}  // namespace attn::bench

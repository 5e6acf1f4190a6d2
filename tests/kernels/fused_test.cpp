// SPDX-License-Identifier: Apache-2.0
//
// The counters of the virtual GPU prove that the kernels are fused: no call moves much more through global memory than
// bench/traffic.h states, no sum uses atomics, and one long item is enough to occupy every multiprocessor.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "bench/calls.h"

namespace attn::bench {

static std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "B" << s.B << "_Q" << s.Q << "_T" << s.T << "_A" << s.A << "_D" << s.D;
}

namespace {

constexpr double kMost = 1.2;  // the largest accepted ratio of measured to stated bytes

struct Launch {
  std::string kernel;
  Index blocks, loaded, stored, atomics;
};

// Reads the counters that the virtual GPU writes for each launch.
class Launches {
 public:
  Launches() : file_(testing::TempDir() + "fused_test_" + std::to_string(getpid()) + ".jsonl") {
    setenv("VGPU_COUNTERS", file_.c_str(), 1);  // the virtual GPU reads it at the first launch
  }
  ~Launches() { std::remove(file_.c_str()); }
  Launches(const Launches&) = delete;
  Launches& operator=(const Launches&) = delete;

  // The launches since the previous call.
  std::vector<Launch> take() {
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    std::vector<Launch> launches;
    std::ifstream file(file_);
    file.seekg(at_);
    for (std::string line; std::getline(file, line); at_ = file.tellg()) {
      const nlohmann::json of = nlohmann::json::parse(line);
      launches.push_back(
          {of["kernel"], of["blocks"], of["global_load_bytes"], of["global_store_bytes"], of["global_atomics"]});
    }
    return launches;
  }

 private:
  std::string file_;
  std::streampos at_ = 0;
};

Launches& launches() {
  static Launches one;
  return one;
}

// Kernels that only prepare rows, or combine results of others: a few instructions for each element of a row or each
// pair, but none for each element of a pair.
bool is_minor(const Launch& launch) {
  for (const char* name :
       {"ranges_kernel", "encode_kernel", "merge_kernel", "row_sums_kernel", "score_gradients_kernel"})
    if (launch.kernel.find(name) != std::string::npos) return true;
  return false;
}

using Case = std::tuple<Pass, Storage, Shape>;

class Fused : public testing::TestWithParam<Case> {};

TEST_P(Fused, MovesWhatIsStated) {
  const auto& [pass, storage, shape] = GetParam();
  Launches& counted = launches();
  const Handle handle(ATTN_BACKEND_CUDA);
  const std::unique_ptr<Call> call = make_call(handle, pass, shape, storage.dtype);
  counted.take();
  call->run();
  const std::vector<Launch> all = counted.take();
  ASSERT_FALSE(all.empty());

  cudaDeviceProp device{};
  ASSERT_EQ(cudaGetDeviceProperties(&device, 0), cudaSuccess);
  Index loaded = 0, stored = 0;
  for (const Launch& launch : all) {
    loaded += launch.loaded;
    stored += launch.stored;
    EXPECT_EQ(launch.atomics, 0) << launch.kernel;
    if (shape.B == 1 && shape.T == 4096 && !is_minor(launch)) {
      EXPECT_GE(launch.blocks, device.multiProcessorCount) << launch.kernel;
    }
  }
  const Cost cost = cost_of(pass, shape);
  const double moved = static_cast<double>(loaded + stored), stated = static_cast<double>(cost.moved);
  std::printf("%-29s %s %10.0f bytes, %.2f of those stated, %.2f of the tensors\n", pass.name, storage.name, moved,
              moved / stated, moved / static_cast<double>(cost.least));
  EXPECT_LE(moved, kMost * stated);
  EXPECT_GE(moved, stated / kMost) << "less than the least: what is stated is wrong";
  // For narrow rows, w and the bias are as large as x.
  if (!pass.pooling || shape.D < 32) return;
  const auto x = static_cast<double>(shape.size * shape.B * shape.T * shape.D);
  Index readings = 0;
  for (const Launch& launch : all) {
    EXPECT_LT(static_cast<double>(launch.loaded), kMost * x) << launch.kernel;
    if (static_cast<double>(launch.loaded) >= x) ++readings;
  }
  EXPECT_EQ(readings, 1) << "of x";
}

std::vector<Case> cases(bool pooling, const std::vector<Shape>& shapes) {
  std::vector<Case> all;
  for (const Pass& pass : kPasses)
    for (const Storage& storage : kStorages)
      for (Shape shape : shapes) {
        shape.size = storage.size;
        if (pass.pooling == pooling) all.emplace_back(pass, storage, shape);
      }
  return all;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  const auto& [pass, storage, shape] = info.param;
  return std::string(pass.name) + "_" + storage.name + "_" + testing::PrintToString(shape);
}

// Incomplete last tiles and splits; long single items, narrow and wide.
INSTANTIATE_TEST_SUITE_P(Additive, Fused,
                         testing::ValuesIn(cases(false, {{2, 1, 200, 128, 128},
                                                         {3, 1, 1000, 33, 129},
                                                         {1, 1, 300, 1000, 1000},
                                                         {1, 1, 4096, 8, 8},
                                                         {1, 1, 4096, 64, 300},
                                                         {2, 3, 130, 40, 72},
                                                         {2, 50, 50, 64, 96},
                                                         {1, 70, 300, 100, 60},
                                                         {1, 600, 30, 10, 300},
                                                         {1, 2, 4096, 40, 32},
                                                         {1, 20, 4096, 16, 32}})),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Pooling, Fused,
                         testing::ValuesIn(cases(true, {{4, 1, 200, 0, 128},
                                                        {3, 1, 100, 0, 33},
                                                        {1, 1, 4096, 0, 8},
                                                        {1, 1, 4096, 0, 64},
                                                        {2, 1, 700, 0, 2048}})),
                         case_name);

}  // namespace
}  // namespace attn::bench

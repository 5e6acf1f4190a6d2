// SPDX-License-Identifier: Apache-2.0
//
// Compares the limits in the table of devices with the table of compute capabilities in the CUDA programming guide.
#include "cudart/device_table.h"

#include <gtest/gtest.h>

#include <string>

namespace vgpu::cudart {
namespace {

constexpr std::size_t kMemory = std::size_t{32} << 30;

struct Expected {
  const char* name;
  int major, minor, threads, blocks;
  std::size_t shared, optin;
};

class DeviceTableTest : public testing::TestWithParam<Expected> {};

TEST_P(DeviceTableTest, LimitsAreThoseOfTheArchitecture) {
  const Expected& expected = GetParam();
  const DeviceModel* model = device_model(expected.name);
  ASSERT_NE(model, nullptr);
  const cudaDeviceProp p = properties_of(*model, 1, kMemory);
  EXPECT_EQ(p.major, expected.major);
  EXPECT_EQ(p.minor, expected.minor);
  EXPECT_EQ(p.maxThreadsPerMultiProcessor, expected.threads);
  EXPECT_EQ(p.maxBlocksPerMultiProcessor, expected.blocks);
  EXPECT_EQ(p.sharedMemPerMultiprocessor, expected.shared * kKiB);
  EXPECT_EQ(p.sharedMemPerBlockOptin, expected.optin * kKiB);
  EXPECT_EQ(p.sharedMemPerBlock, 48 * kKiB);
  EXPECT_EQ(p.totalGlobalMem, kMemory);
  EXPECT_EQ(std::string(p.name), std::string("Virtual GPU ") + expected.name);
}

TEST_P(DeviceTableTest, AttributesAgreeWithProperties) {
  const DeviceModel* model = device_model(GetParam().name);
  ASSERT_NE(model, nullptr);
  const cudaDeviceProp p = properties_of(*model, 0, kMemory);
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = -1;
    EXPECT_TRUE(attribute_of(*model, p, which, value)) << which;
    return value;
  };
  EXPECT_EQ(attribute(cudaDevAttrComputeCapabilityMajor), p.major);
  EXPECT_EQ(attribute(cudaDevAttrComputeCapabilityMinor), p.minor);
  EXPECT_EQ(attribute(cudaDevAttrMultiProcessorCount), p.multiProcessorCount);
  EXPECT_EQ(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin), static_cast<int>(p.sharedMemPerBlockOptin));
  EXPECT_EQ(attribute(cudaDevAttrMaxGridDimX), 0x7fffffff);
  EXPECT_EQ(attribute(cudaDevAttrMaxGridDimY), 65535);
  EXPECT_EQ(attribute(cudaDevAttrMaxBlockDimZ), 64);
  EXPECT_EQ(attribute(cudaDevAttrL2CacheSize), p.l2CacheSize);
  EXPECT_GT(attribute(cudaDevAttrClockRate), 1000000);
  int value = -1;
  EXPECT_FALSE(attribute_of(*model, p, cudaDevAttrReserved92, value));
  EXPECT_EQ(value, -1);
}

INSTANTIATE_TEST_SUITE_P(
    Models, DeviceTableTest,
    testing::Values(Expected{"sm_75", 7, 5, 1024, 16, 64, 64}, Expected{"sm_80", 8, 0, 2048, 32, 164, 163},
                    Expected{"sm_86", 8, 6, 1536, 16, 100, 99}, Expected{"sm_89", 8, 9, 1536, 24, 100, 99},
                    Expected{"sm_90", 9, 0, 2048, 32, 228, 227}, Expected{"sm_100", 10, 0, 2048, 32, 228, 227},
                    Expected{"sm_120", 12, 0, 1536, 24, 100, 99}),
    [](const auto& device) { return std::string(device.param.name); });

TEST(DeviceModelTest, NamesAreExact) {
  EXPECT_NE(device_model("90"), nullptr);
  EXPECT_EQ(device_model("sm_70"), nullptr);
  EXPECT_EQ(device_model("sm_9"), nullptr);
  EXPECT_EQ(device_model("sm_90a"), nullptr);
  EXPECT_EQ(device_model(""), nullptr);
}

}  // namespace
}  // namespace vgpu::cudart

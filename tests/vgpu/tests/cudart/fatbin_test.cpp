// SPDX-License-Identifier: Apache-2.0
//
// Tests fat binaries as nvcc writes them, byte for byte where that matters.
#include "cudart/fatbin.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "cudart/fatbin_builder.h"

namespace vgpu::cudart {
namespace {

std::string chosen(FatBinary& binary, std::uint32_t architecture) {
  const std::vector<Image> images = wrapped_images(binary.wrapper());
  const Image* image = choose_ptx(images, architecture);
  return image == nullptr ? "none" : std::string(image->data, image->size);
}

TEST(FatBinaryTest, HighestPtxNotAboveTheDeviceIsChosen) {
  FatBinary binary;
  binary.add(kPtx, 75, "ptx 75").add(kElf, 90, "elf 90").add(kPtx, 120, "ptx 120").add(kPtx, 80, "ptx 80");
  EXPECT_EQ(chosen(binary, 75), "ptx 75");
  EXPECT_EQ(chosen(binary, 80), "ptx 80");
  EXPECT_EQ(chosen(binary, 90), "ptx 80");
  EXPECT_EQ(chosen(binary, 120), "ptx 120");
  EXPECT_EQ(chosen(binary, 70), "none");
}

TEST(FatBinaryTest, MachineCodeIsNoPtx) {
  FatBinary binary;
  binary.add(kElf, 80, "elf");
  EXPECT_EQ(chosen(binary, 90), "none");
}

TEST(FatBinaryTest, SpecificCodeRunsWhereItIsFor) {
  FatBinary binary;
  binary.add(kPtx, 90, "90a", kArchitectureSpecific).add(kPtx, 100, "100f", kFamilySpecific).add(kPtx, 80, "80");
  EXPECT_EQ(chosen(binary, 90), "90a");
  EXPECT_EQ(chosen(binary, 89), "80");
  EXPECT_EQ(chosen(binary, 100), "100f");
  EXPECT_EQ(chosen(binary, 103), "100f");
  EXPECT_EQ(chosen(binary, 120), "80");
}

TEST(FatBinaryTest, CompressionIsSeen) {
  FatBinary binary;
  binary.add(kPtx, 75, "plain").add(kPtx, 80, "squeezed", 0x8011, 8);
  const std::vector<Image> images = wrapped_images(binary.wrapper());
  ASSERT_EQ(images.size(), 2u);
  EXPECT_FALSE(images[0].compressed);
  EXPECT_TRUE(images[1].compressed);
}

TEST(FatBinaryTest, EmptyOneHasNoImages) { EXPECT_TRUE(wrapped_images(FatBinary().wrapper()).empty()); }

TEST(FatBinaryTest, WhatIsNoFatBinaryIsRefused) {
  FatBinary binary;
  binary.add(kPtx, 75, "ptx");
  EXPECT_THROW(wrapped_images(binary.wrapper(1, 0x12345678)), std::runtime_error);
  EXPECT_THROW(wrapped_images(binary.wrapper(2)), std::runtime_error);
}

}  // namespace
}  // namespace vgpu::cudart

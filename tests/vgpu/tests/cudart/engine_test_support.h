// SPDX-License-Identifier: Apache-2.0
//
// Helpers for the tests of the engine: operations that record that they ran.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cudart/engine.h"

namespace vgpu::cudart {

class EngineTest : public testing::Test {
 protected:
  OperationPtr note(Engine& engine, char letter, std::vector<OperationPtr> after, int device = 0) {
    return engine.submit(device, std::move(after), [this, letter] { trace_ += letter; });
  }

  std::mutex mutex_;
  std::unique_lock<std::mutex> lock_{mutex_};
  std::string trace_;
};

}  // namespace vgpu::cudart

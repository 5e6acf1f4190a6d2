// SPDX-License-Identifier: Apache-2.0
//
// Tests errors that are detected only when the work runs, and that therefore end the process: calls out of order, and
// buffers that were modified between calls.
#include <cmath>

#include "cudnn/test_device.h"

namespace vgpu::cudnn_test {
namespace {

class OrderDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "a GPU computes something";
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
  }

  template <typename Calls>
  void expect_fault(const char* message, Calls&& calls) {
    EXPECT_DEATH(
        {
          Settings settings;
          settings.layers = 2;
          Lstm lstm(settings);
          calls(lstm);
          cudaDeviceSynchronize();
        },
        message);
  }
};

void change(void* reserve, std::size_t byte) { expect_ok(cudaMemset(static_cast<char*>(reserve) + byte, 0x55, 1)); }

TEST_F(OrderDeathTest, BackwardDataNeedsAForward) {
  expect_fault("no cudnnRNNForward in training mode has filled", [](Lstm& lstm) {
    expect_ok(lstm.forward(CUDNN_FWD_MODE_INFERENCE));
    expect_ok(cudaMemset(lstm.reserve, 0, lstm.reserve_bytes));
    expect_ok(lstm.backward_data());
  });
}

TEST_F(OrderDeathTest, BackwardWeightsNeedsBackwardData) {
  expect_fault("backward data has not been computed", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_weights());
  });
}

TEST_F(OrderDeathTest, BackwardDataUsesUpTheReserveSpace) {
  expect_fault("backward data was already computed", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_data());
    expect_ok(lstm.backward_data());
  });
}

TEST_F(OrderDeathTest, NothingElseTouchesTheReserveSpace) {
  for (const bool at_the_end : {false, true}) {
    const auto byte = [&](const Lstm& lstm) { return at_the_end ? lstm.reserve_bytes - 1 : 200; };
    expect_fault("something has changed the reserve space", [&](Lstm& lstm) {
      expect_ok(lstm.forward());
      change(lstm.reserve, byte(lstm));
      expect_ok(lstm.backward_data());
    });
    expect_fault("something has changed the reserve space", [&](Lstm& lstm) {
      expect_ok(lstm.forward());
      expect_ok(lstm.backward_data());
      change(lstm.reserve, byte(lstm));
      expect_ok(lstm.backward_weights());
    });
  }
}

TEST_F(OrderDeathTest, LengthsStayThoseOfForward) {
  expect_fault("other descriptors or lengths", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    const int lengths[] = {4, 2, 2};
    expect_ok(
        cudnnSetRNNDataDescriptor(lstm.x_data, CUDNN_DATA_FLOAT, lstm.settings.layout, 4, 3, 3, lengths, nullptr));
    expect_ok(
        cudnnSetRNNDataDescriptor(lstm.y_data, CUDNN_DATA_FLOAT, lstm.settings.layout, 4, 3, 10, lengths, nullptr));
    expect_ok(lstm.backward_data());
  });
}

TEST_F(OrderDeathTest, FirstStatesStayThoseOfForward) {
  expect_fault("first states", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    lstm.has_states = false;
    expect_ok(lstm.backward_data());
  });
  expect_fault("first h", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_data());
    lstm.has_states = false;
    expect_ok(lstm.backward_weights());
  });
}

TEST_F(OrderDeathTest, YStaysWhatForwardWrote) {
  expect_fault("y is not what forward wrote", [](Lstm& lstm) {
    expect_ok(lstm.forward());
    std::vector<double> y = lstm.y.values();
    y[0] += 1;
    lstm.y.set(y);
    expect_ok(lstm.backward_data());
  });
}

TEST_F(OrderDeathTest, StatesOfDropoutComeFromItsDescriptor) {
  expect_fault("were not made by cudnnSetDropoutDescriptor", [](Lstm& lstm) {
    std::size_t size = 0;
    expect_ok(cudnnDropoutGetStatesSize(lstm.handle, &size));
    expect_ok(cudaMemset(lstm.dropout_states, 0, size));
    expect_ok(cudnnRestoreDropoutDescriptor(lstm.dropout, lstm.handle, 0.5f, lstm.dropout_states, size, 1));
    expect_ok(lstm.forward());
  });
}

TEST_F(OrderDeathTest, PaddingIsFinite) {
  const auto with_nan = [](const Lstm& lstm, const DeviceArray& array, bool of_y) {
    std::vector<double> values = array.values();
    const std::size_t width = lstm.settings.width(of_y);
    values[lstm.settings.row(3, 1) * width + width - 1] = NAN;  // padding: the second sequence has two steps
    array.set(values);
  };
  expect_fault("NaN or infinity in the padding", [&](Lstm& lstm) {
    with_nan(lstm, lstm.x, false);
    expect_ok(lstm.forward());
  });
  expect_fault("NaN or infinity in the padding", [&](Lstm& lstm) {
    expect_ok(lstm.forward());
    with_nan(lstm, lstm.dy, true);
    expect_ok(lstm.backward_data());
  });
  expect_fault("NaN or infinity in the padding", [&](Lstm& lstm) {
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_data());
    with_nan(lstm, lstm.x, false);
    expect_ok(lstm.backward_weights());
  });
}

TEST(Order, BackwardWeightsMayBeRepeatedAndAddsEachTime) {
  Lstm lstm(Settings{});
  expect_ok(lstm.forward());
  expect_ok(lstm.backward_data());
  expect_ok(lstm.backward_weights());
  const std::vector<double> once = lstm.read(lstm.derivatives, lstm.weight_count());
  expect_ok(lstm.backward_weights());
  const std::vector<double> twice = lstm.read(lstm.derivatives, lstm.weight_count());
  for (std::size_t i = 0; i < once.size(); ++i) ASSERT_NEAR(twice[i], 2 * once[i], 1e-6 * std::abs(once[i]));
}

}  // namespace
}  // namespace vgpu::cudnn_test

// SPDX-License-Identifier: Apache-2.0
//
// Tests invalid arguments, one at a time, in addition to those that calls/ compares with the real library.
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>

#include "cudnn/test_device.h"

namespace vgpu::cudnn_test {
namespace {

class Rules : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_virtual()) GTEST_SKIP() << "a GPU does not look at all this";
  }

  cudnnStatus_t set_rnn(const std::function<void(cudnnRNNAlgo_t&, cudnnRNNMode_t&, cudnnRNNInputMode_t&,
                                                 cudnnDataType_t&, cudnnDataType_t&, cudnnMathType_t&, int&)>& change) {
    cudnnRNNAlgo_t algo = CUDNN_RNN_ALGO_STANDARD;
    cudnnRNNMode_t cell = CUDNN_LSTM;
    cudnnRNNInputMode_t input = CUDNN_LINEAR_INPUT;
    cudnnDataType_t type = CUDNN_DATA_FLOAT, precision = CUDNN_DATA_FLOAT;
    cudnnMathType_t math = CUDNN_DEFAULT_MATH;
    int projection = 5;
    change(algo, cell, input, type, precision, math, projection);
    return cudnnSetRNNDescriptor_v8(lstm_.rnn, algo, cell, CUDNN_RNN_DOUBLE_BIAS, CUDNN_BIDIRECTIONAL, input, type,
                                    precision, math, 5, 5, projection, 1, lstm_.dropout, CUDNN_RNN_PADDED_IO_ENABLED);
  }

  Lstm lstm_{Settings{}};
};

TEST_F(Rules, WhatOnlyTheRealOneHasIsRefusedByName) {
  const auto expect_refused = [&](const char* name, auto change) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(set_rnn(change), CUDNN_STATUS_NOT_SUPPORTED);
    EXPECT_NE(testing::internal::GetCapturedStderr().find(name), std::string::npos) << name;
  };
  expect_refused("CUDNN_LSTM", [](auto&, auto& cell, auto&...) { cell = CUDNN_GRU; });
  expect_refused("algorithm", [](auto& algo, auto&...) { algo = CUDNN_RNN_ALGO_PERSIST_STATIC; });
  expect_refused("CUDNN_SKIP_INPUT", [](auto&, auto&, auto& input, auto&...) { input = CUDNN_SKIP_INPUT; });
  expect_refused("double", [](auto&, auto&, auto&, auto& type, auto& precision, auto&...) {
    type = precision = CUDNN_DATA_DOUBLE;
  });
  expect_refused(
      "half", [](auto&, auto&, auto&, auto& type, auto& precision, auto&...) { type = precision = CUDNN_DATA_HALF; });
  expect_refused("ALLOW_CONVERSION", [](auto&, auto&, auto&, auto&, auto&, auto& math, auto&) {
    math = CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  });
  expect_refused("projection", [](auto&, auto&, auto&, auto&, auto&, auto&, auto& projection) { projection = 4; });
  EXPECT_EQ(set_rnn([](auto&...) {}), CUDNN_STATUS_SUCCESS);
}

TEST_F(Rules, NullIsNoTensor) {
  const Lstm& l = lstm_;
  const auto forward = [&](const void* x, void* y) {
    return cudnnRNNForward(l.handle, l.rnn, CUDNN_FWD_MODE_TRAINING, nullptr, l.x_data, x, l.y_data, y, nullptr,
                           nullptr, nullptr, nullptr, nullptr, nullptr, l.weight_bytes, l.weights, l.work_bytes, l.work,
                           l.reserve_bytes, l.reserve);
  };
  EXPECT_EQ(forward(nullptr, l.y.get()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(forward(l.x.get(), nullptr), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(forward(l.x.get(), l.y.get()), CUDNN_STATUS_SUCCESS);
  const auto backward = [&](const void* y, const void* dy, void* dx) {
    return cudnnRNNBackwardData_v8(l.handle, l.rnn, nullptr, l.y_data, y, dy, l.x_data, dx, nullptr, nullptr, nullptr,
                                   nullptr, nullptr, nullptr, nullptr, nullptr, l.weight_bytes, l.weights, l.work_bytes,
                                   l.work, l.reserve_bytes, l.reserve);
  };
  EXPECT_EQ(backward(nullptr, l.dy.get(), l.dx.get()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(backward(l.y.get(), nullptr, l.dx.get()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(backward(l.y.get(), l.dy.get(), nullptr), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(backward(l.y.get(), l.dy.get(), l.dx.get()), CUDNN_STATUS_SUCCESS);
  const auto weights = [&](const void* x, const void* y) {
    return cudnnRNNBackwardWeights_v8(l.handle, l.rnn, CUDNN_WGRAD_MODE_ADD, nullptr, l.x_data, x, nullptr, nullptr,
                                      l.y_data, y, l.weight_bytes, l.derivatives, l.work_bytes, l.work, l.reserve_bytes,
                                      l.reserve);
  };
  EXPECT_EQ(weights(nullptr, l.y.get()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(weights(l.x.get(), nullptr), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(weights(l.x.get(), l.y.get()), CUDNN_STATUS_SUCCESS);
  expect_ok(cudaDeviceSynchronize());
}

TEST_F(Rules, ASequenceHasAStepAtLeast) {
  for (const std::vector<int>& lengths : std::vector<std::vector<int>>{{4, 0, 3}, {0, 0, 0}}) {
    for (const auto& [data, width] : {std::pair{lstm_.x_data, 3}, std::pair{lstm_.y_data, 10}}) {
      expect_ok(cudnnSetRNNDataDescriptor(data, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED, 4, 3, width,
                                          lengths.data(), nullptr));
    }
    EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_EXECUTION_FAILED);
    EXPECT_EQ(lstm_.backward_data(), CUDNN_STATUS_EXECUTION_FAILED);
    EXPECT_EQ(lstm_.backward_weights(), CUDNN_STATUS_EXECUTION_FAILED);
  }
}

TEST_F(Rules, StatesAreOfTheNetworksType) {
  const int extents[3] = {2, 3, 5}, strides[3] = {15, 5, 1};
  expect_ok(cudnnSetTensorNdDescriptor(lstm_.state, CUDNN_DATA_HALF, 3, extents, strides));
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(lstm_.backward_data(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(lstm_.backward_weights(), CUDNN_STATUS_BAD_PARAM);
}

std::string last_error() {
  char message[64] = "";
  cudnnGetLastErrorString(message, sizeof message);
  return message;
}

TEST_F(Rules, DescriptorsAreSetBeforeUse) {
  cudnnRNNDataDescriptor_t data{};
  expect_ok(cudnnCreateRNNDataDescriptor(&data));
  std::swap(data, lstm_.x_data);
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(last_error(), "an RNN data descriptor was not set");
  std::swap(data, lstm_.x_data);
  expect_ok(cudnnDestroyRNNDataDescriptor(data));
  cudnnRNNDescriptor_t rnn{};
  expect_ok(cudnnCreateRNNDescriptor(&rnn));
  std::swap(rnn, lstm_.rnn);
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(last_error(), "rnnDesc was not set");
  std::swap(rnn, lstm_.rnn);
  expect_ok(cudnnDestroyRNNDescriptor(rnn));
}

TEST_F(Rules, WhatIsGoneIsNotUsed) {
  cudnnRNNDataDescriptor_t data{};
  expect_ok(cudnnCreateRNNDataDescriptor(&data));
  expect_ok(cudnnDestroyRNNDataDescriptor(data));
  EXPECT_EQ(cudnnDestroyRNNDataDescriptor(data), CUDNN_STATUS_BAD_PARAM);
  expect_ok(cudnnDestroy(lstm_.handle));
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(last_error(), "handle");
  EXPECT_EQ(last_error(), "");
  lstm_.handle = nullptr;
}

TEST_F(Rules, AHandleIsOfItsDevice) {
  int devices = 0;
  expect_ok(cudaGetDeviceCount(&devices));
  if (devices < 2) GTEST_SKIP() << "VGPU_DEVICES=2 was not set";
  expect_ok(cudaSetDevice(1));
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  cudaStream_t stream{};
  expect_ok(cudaStreamCreate(&stream));
  EXPECT_EQ(cudnnSetStream(lstm_.handle, stream), CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH);
  expect_ok(cudaStreamDestroy(stream));
  expect_ok(cudaSetDevice(0));
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_SUCCESS);
  expect_ok(cudaDeviceSynchronize());
}

// TF32 rounding changes every result, so each of them is checked.
TEST_F(Rules, MathTypesOtherThanFmaMayRoundFactorsToTf32) {
  int major = 0;
  expect_ok(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0));
  const auto results = [](cudnnMathType_t math) {
    Settings settings;
    settings.math = math;
    Lstm lstm(settings);
    expect_ok(lstm.forward());
    expect_ok(lstm.backward_data());
    expect_ok(lstm.backward_weights());
    return std::vector<std::vector<double>>{lstm.y.values(), lstm.dx.values(),
                                            lstm.read(lstm.derivatives, lstm.weight_count())};
  };
  const auto exact = results(CUDNN_FMA_MATH), allowed = results(CUDNN_DEFAULT_MATH);
  EXPECT_EQ(results(CUDNN_TENSOR_OP_MATH), allowed);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_EQ(exact[i] != allowed[i], major >= 8) << i;
}

// The argument is never dereferenced, so any address is accepted, as by the real library.
TEST_F(Rules, LengthsOnTheDeviceAreNotLookedAt) {
  const auto* lengths = static_cast<const std::int32_t*>(lstm_.work);
  const Lstm& l = lstm_;
  EXPECT_EQ(cudnnRNNForward(l.handle, l.rnn, CUDNN_FWD_MODE_INFERENCE, lengths, l.x_data, l.x.get(), l.y_data,
                            l.y.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, l.weight_bytes, l.weights,
                            l.work_bytes, l.work, 0, nullptr),
            CUDNN_STATUS_SUCCESS);
  expect_ok(cudaDeviceSynchronize());
}

TEST_F(Rules, PaddingWithoutAFillIsNotANumber) {
  expect_ok(cudnnSetRNNDataDescriptor(lstm_.y_data, CUDNN_DATA_FLOAT, lstm_.settings.layout, 4, 3, 10,
                                      lstm_.settings.lengths.data(), nullptr));
  expect_ok(lstm_.forward());
  const std::vector<double> y = lstm_.y.values();
  for (int time = 0; time < 4; ++time) {
    for (int sequence = 0; sequence < 3; ++sequence) {
      const bool padding = time >= lstm_.settings.lengths[static_cast<std::size_t>(sequence)];
      EXPECT_EQ(std::isnan(y[lstm_.settings.row(time, sequence) * 10]), padding) << time << ' ' << sequence;
    }
  }
}

TEST_F(Rules, EachSizeIsTheLeastThatWorks) {
  for (std::size_t* size : {&lstm_.weight_bytes, &lstm_.work_bytes, &lstm_.reserve_bytes}) {
    --*size;
    EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
    EXPECT_EQ(lstm_.backward_data(), CUDNN_STATUS_BAD_PARAM);
    EXPECT_EQ(lstm_.backward_weights(), CUDNN_STATUS_BAD_PARAM);
    ++*size;
  }
  std::size_t inference = 0, reserve = 1;
  expect_ok(
      cudnnGetRNNTempSpaceSizes(lstm_.handle, lstm_.rnn, CUDNN_FWD_MODE_INFERENCE, lstm_.x_data, &inference, &reserve));
  EXPECT_EQ(reserve, 0u);
  EXPECT_LT(inference, lstm_.work_bytes);
  lstm_.work_bytes = inference;
  EXPECT_EQ(lstm_.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(lstm_.forward(CUDNN_FWD_MODE_INFERENCE), CUDNN_STATUS_SUCCESS);
  expect_ok(cudaDeviceSynchronize());
}

TEST_F(Rules, DropoutNeedsStatesThatAreLargeEnough) {
  Settings settings;
  settings.layers = 2;
  Lstm two(settings);
  std::size_t size = 0;
  expect_ok(cudnnDropoutGetStatesSize(two.handle, &size));
  EXPECT_EQ(cudnnSetDropoutDescriptor(two.dropout, two.handle, 0.5f, two.dropout_states, size - 1, 1),
            CUDNN_STATUS_BAD_PARAM);
  expect_ok(cudnnSetDropoutDescriptor(two.dropout, two.handle, 0.5f, nullptr, 0, 1));
  EXPECT_EQ(two.forward(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(two.forward(CUDNN_FWD_MODE_INFERENCE), CUDNN_STATUS_SUCCESS);
  expect_ok(cudnnSetDropoutDescriptor(two.dropout, two.handle, 1.5f, two.dropout_states, size, 1));
  EXPECT_EQ(two.forward(), CUDNN_STATUS_BAD_PARAM);
  expect_ok(cudnnSetDropoutDescriptor(two.dropout, two.handle, 0.5f, two.dropout_states, size, 1));
  EXPECT_EQ(two.forward(), CUDNN_STATUS_SUCCESS);
  expect_ok(cudaDeviceSynchronize());
}

}  // namespace
}  // namespace vgpu::cudnn_test

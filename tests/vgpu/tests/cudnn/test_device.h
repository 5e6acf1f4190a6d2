// SPDX-License-Identifier: Apache-2.0
//
// Helpers for the tests of cuDNN: device memory, and an LSTM with all its descriptors and buffers.
#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cudnn/storage.h"

namespace vgpu::cudnn_test {

using cudnn::Storage;

inline bool is_virtual() { return dlsym(RTLD_DEFAULT, "vgpu_is_virtual") != nullptr; }

// Device memory that is freed at the end of the scope. It is not initialised.
class DeviceArray {
 public:
  DeviceArray(Storage type, std::size_t count);
  DeviceArray(Storage type, const std::vector<double>& values);
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void* get() const { return memory_; }
  std::size_t bytes() const { return count_ * cudnn::size_of(type_); }
  void set(const std::vector<double>& values) const;
  std::vector<double> values() const;

 private:
  Storage type_;
  std::size_t count_;
  void* memory_ = nullptr;
};

struct Settings {
  Storage type = Storage::kFloat;
  int layers = 1, directions = 2, E = 3, H = 5;
  cudnnRNNBiasMode_t bias = CUDNN_RNN_DOUBLE_BIAS;
  cudnnRNNDataLayout_t layout = CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED;
  std::vector<int> lengths{4, 2, 3};
  float dropout = 0;
  cudnnMathType_t math = CUDNN_FMA_MATH;
  unsigned long long seed = 1;

  int longest() const;
  int batch() const { return static_cast<int>(lengths.size()); }
  std::size_t width(bool of_y) const { return static_cast<std::size_t>(of_y ? directions * H : E); }

  // The number of rows in the layout, and the row of a time step of a sequence.
  std::size_t rows() const;
  std::size_t row(int time, int sequence) const;
  std::size_t states() const { return static_cast<std::size_t>(layers * directions * batch() * H); }
};

// An LSTM with valid descriptors and buffers. All numbers are multiples of 1/64 from a fixed sequence; the padding of x
// and dy is not zero.
class Lstm {
 public:
  explicit Lstm(const Settings& settings);
  ~Lstm();
  Lstm(const Lstm&) = delete;
  Lstm& operator=(const Lstm&) = delete;

  cudnnStatus_t forward(cudnnForwardMode_t mode = CUDNN_FWD_MODE_TRAINING) const;
  cudnnStatus_t backward_data() const;
  cudnnStatus_t backward_weights() const;

  // The offset of a gate's matrix or bias of a pseudo-layer in the weight space, according to cudnnGetRNNWeightParams.
  std::size_t matrix(int pseudo_layer, int id) const { return place(pseudo_layer, id, false); }
  std::size_t bias(int pseudo_layer, int id) const { return place(pseudo_layer, id, true); }

  std::vector<double> padded(const std::vector<double>& time_major, bool of_y, double padding) const;

  static constexpr double kFillOfX = 5, kFillOfY = 7, kPadding = 9;

  Settings settings;
  cudnnHandle_t handle{};
  cudnnDropoutDescriptor_t dropout{};
  cudnnRNNDescriptor_t rnn{};
  cudnnRNNDataDescriptor_t x_data{}, y_data{};
  cudnnTensorDescriptor_t state{};
  std::size_t weight_bytes = 0, work_bytes = 0, reserve_bytes = 0, state_bytes = 0;
  DeviceArray x, y, hx, cx, hy, cy, dy, dx, dhx, dcx, dhy, dcy;
  void *weights{}, *derivatives{}, *work{}, *reserve{}, *dropout_states{};
  bool has_states = true;

  std::size_t weight_count() const { return weight_bytes / cudnn::size_of(settings.type); }
  std::vector<double> read(const void* from, std::size_t count) const;
  void write(void* to, const std::vector<double>& values) const;

 private:
  std::size_t place(int pseudo_layer, int id, bool bias) const;
  const void* given(const DeviceArray& array) const { return has_states ? array.get() : nullptr; }
};

void expect_ok(cudnnStatus_t status);
void expect_ok(cudaError_t error);

// Returns reproducible numbers k / 64 with |k| < 64, generated from the seed.
std::vector<double> small_numbers(std::size_t count, unsigned seed);

}  // namespace vgpu::cudnn_test

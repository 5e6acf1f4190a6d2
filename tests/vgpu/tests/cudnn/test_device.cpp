// SPDX-License-Identifier: Apache-2.0
#include "cudnn/test_device.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace vgpu::cudnn_test {

void expect_ok(cudnnStatus_t status) { EXPECT_EQ(status, CUDNN_STATUS_SUCCESS) << cudnnGetErrorString(status); }
namespace {

// A copy from pageable memory does not synchronise with other streams, so the device is synchronised afterwards.
void copy_to(void* to, const std::vector<std::byte>& bytes) {
  expect_ok(cudaMemcpy(to, bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
  expect_ok(cudaDeviceSynchronize());
}

}  // namespace

void expect_ok(cudaError_t error) { EXPECT_EQ(error, cudaSuccess) << cudaGetErrorString(error); }

std::vector<double> small_numbers(std::size_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<double> numbers(count);
  for (double& number : numbers) number = (static_cast<int>(random() % 127) - 63) / 64.0;
  return numbers;
}

DeviceArray::DeviceArray(Storage type, std::size_t count) : type_(type), count_(count) {
  expect_ok(cudaMalloc(&memory_, bytes()));
}

DeviceArray::DeviceArray(Storage type, const std::vector<double>& values) : DeviceArray(type, values.size()) {
  set(values);
}

void DeviceArray::set(const std::vector<double>& values) const {
  std::vector<std::byte> encoded(bytes());
  cudnn::encode(type_, values.data(), count_, encoded.data());
  copy_to(memory_, encoded);
}

std::vector<double> DeviceArray::values() const {
  std::vector<std::byte> encoded(bytes());
  expect_ok(cudaMemcpy(encoded.data(), memory_, bytes(), cudaMemcpyDeviceToHost));
  return cudnn::decoded(type_, encoded.data(), count_);
}

int Settings::longest() const { return *std::max_element(lengths.begin(), lengths.end()); }

std::size_t Settings::rows() const {
  if (layout != CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED) return static_cast<std::size_t>(longest() * batch());
  return static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), 0));
}

std::size_t Settings::row(int time, int sequence) const {
  if (layout == CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED)
    return static_cast<std::size_t>(sequence * longest() + time);
  if (layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED) return static_cast<std::size_t>(time * batch() + sequence);
  int before = sequence;  // lengths descend: sequences with this step come first
  for (const int length : lengths) before += std::min(length, time);
  return static_cast<std::size_t>(before);
}

namespace {

cudnnDataType_t type_of(Storage type) {
  return type == Storage::kHalf ? CUDNN_DATA_HALF : type == Storage::kBfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

cudnnRNNDataDescriptor_t make_data(const Settings& settings, bool of_y, double fill) {
  cudnnRNNDataDescriptor_t descriptor{};
  expect_ok(cudnnCreateRNNDataDescriptor(&descriptor));
  std::byte element[sizeof(float)];
  cudnn::encode(settings.type, &fill, 1, element);
  expect_ok(cudnnSetRNNDataDescriptor(descriptor, type_of(settings.type), settings.layout, settings.longest(),
                                      settings.batch(), static_cast<int>(settings.width(of_y)), settings.lengths.data(),
                                      element));
  return descriptor;
}

}  // namespace

Lstm::Lstm(const Settings& wanted)
    : settings(wanted),
      x(wanted.type, wanted.rows() * wanted.width(false)),
      y(wanted.type, wanted.rows() * wanted.width(true)),
      hx(wanted.type, small_numbers(wanted.states(), 1)),
      cx(wanted.type, small_numbers(wanted.states(), 2)),
      hy(wanted.type, wanted.states()),
      cy(wanted.type, wanted.states()),
      dy(wanted.type, wanted.rows() * wanted.width(true)),
      dx(wanted.type, wanted.rows() * wanted.width(false)),
      dhx(wanted.type, wanted.states()),
      dcx(wanted.type, wanted.states()),
      dhy(wanted.type, small_numbers(wanted.states(), 3)),
      dcy(wanted.type, small_numbers(wanted.states(), 4)) {
  expect_ok(cudnnCreate(&handle));
  expect_ok(cudnnCreateDropoutDescriptor(&dropout));
  std::size_t size = 0;
  expect_ok(cudnnDropoutGetStatesSize(handle, &size));
  expect_ok(cudaMalloc(&dropout_states, size));
  expect_ok(cudnnSetDropoutDescriptor(dropout, handle, settings.dropout, dropout_states, size, settings.seed));
  expect_ok(cudnnCreateRNNDescriptor(&rnn));
  expect_ok(cudnnSetRNNDescriptor_v8(rnn, CUDNN_RNN_ALGO_STANDARD, CUDNN_LSTM, settings.bias,
                                     settings.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL,
                                     CUDNN_LINEAR_INPUT, type_of(settings.type), CUDNN_DATA_FLOAT, settings.math,
                                     settings.E, settings.H, settings.H, settings.layers, dropout,
                                     CUDNN_RNN_PADDED_IO_ENABLED));
  x_data = make_data(settings, false, kFillOfX);
  y_data = make_data(settings, true, kFillOfY);
  const int extents[3] = {settings.layers * settings.directions, settings.batch(), settings.H};
  const int strides[3] = {settings.batch() * settings.H, settings.H, 1};
  expect_ok(cudnnCreateTensorDescriptor(&state));
  expect_ok(cudnnSetTensorNdDescriptor(state, type_of(settings.type), 3, extents, strides));
  expect_ok(cudnnGetRNNWeightSpaceSize(handle, rnn, &weight_bytes));
  expect_ok(cudnnGetRNNTempSpaceSizes(handle, rnn, CUDNN_FWD_MODE_TRAINING, x_data, &work_bytes, &reserve_bytes));
  expect_ok(cudaMalloc(&weights, weight_bytes));
  expect_ok(cudaMalloc(&derivatives, weight_bytes));
  expect_ok(cudaMalloc(&work, work_bytes));
  expect_ok(cudaMalloc(&reserve, reserve_bytes));
  write(weights, small_numbers(weight_count(), 5));
  write(derivatives, std::vector<double>(weight_count()));
  const auto steps = static_cast<std::size_t>(settings.longest() * settings.batch());
  x.set(padded(small_numbers(steps * settings.width(false), 6), false, kPadding));
  dy.set(padded(small_numbers(steps * settings.width(true), 7), true, kPadding));
}

Lstm::~Lstm() {
  expect_ok(cudnnDestroyTensorDescriptor(state));
  expect_ok(cudnnDestroyRNNDataDescriptor(x_data));
  expect_ok(cudnnDestroyRNNDataDescriptor(y_data));
  expect_ok(cudnnDestroyRNNDescriptor(rnn));
  expect_ok(cudnnDestroyDropoutDescriptor(dropout));
  if (handle != nullptr) expect_ok(cudnnDestroy(handle));
  for (void* memory : {weights, derivatives, work, reserve, dropout_states}) cudaFree(memory);
}

std::vector<double> Lstm::padded(const std::vector<double>& time_major, bool of_y, double padding) const {
  const std::size_t width = settings.width(of_y);
  std::vector<double> result(settings.rows() * width, padding);
  for (int sequence = 0; sequence < settings.batch(); ++sequence) {
    for (int time = 0; time < settings.lengths[static_cast<std::size_t>(sequence)]; ++time) {
      const double* from = time_major.data() + static_cast<std::size_t>(time * settings.batch() + sequence) * width;
      std::copy_n(from, width, result.data() + settings.row(time, sequence) * width);
    }
  }
  return result;
}

cudnnStatus_t Lstm::forward(cudnnForwardMode_t mode) const {
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  return cudnnRNNForward(handle, rnn, mode, nullptr, x_data, x.get(), y_data, y.get(), state, given(hx), hy.get(),
                         state, given(cx), cy.get(), weight_bytes, weights, work_bytes, work,
                         training ? reserve_bytes : 0, training ? reserve : nullptr);
}

cudnnStatus_t Lstm::backward_data() const {
  return cudnnRNNBackwardData_v8(handle, rnn, nullptr, y_data, y.get(), dy.get(), x_data, dx.get(), state, given(hx),
                                 dhy.get(), dhx.get(), state, given(cx), dcy.get(), dcx.get(), weight_bytes, weights,
                                 work_bytes, work, reserve_bytes, reserve);
}

cudnnStatus_t Lstm::backward_weights() const {
  return cudnnRNNBackwardWeights_v8(handle, rnn, CUDNN_WGRAD_MODE_ADD, nullptr, x_data, x.get(), state, given(hx),
                                    y_data, y.get(), weight_bytes, derivatives, work_bytes, work, reserve_bytes,
                                    reserve);
}

std::size_t Lstm::place(int pseudo_layer, int id, bool bias) const {
  cudnnTensorDescriptor_t one{}, other{};
  expect_ok(cudnnCreateTensorDescriptor(&one));
  expect_ok(cudnnCreateTensorDescriptor(&other));
  void *to_matrix = nullptr, *to_bias = nullptr;
  expect_ok(
      cudnnGetRNNWeightParams(handle, rnn, pseudo_layer, weight_bytes, weights, id, one, &to_matrix, other, &to_bias));
  expect_ok(cudnnDestroyTensorDescriptor(one));
  expect_ok(cudnnDestroyTensorDescriptor(other));
  const auto* found = static_cast<const char*>(bias ? to_bias : to_matrix);
  EXPECT_NE(found, nullptr);
  return static_cast<std::size_t>(found - static_cast<const char*>(weights)) / cudnn::size_of(settings.type);
}

std::vector<double> Lstm::read(const void* from, std::size_t count) const {
  std::vector<std::byte> encoded(count * cudnn::size_of(settings.type));
  expect_ok(cudaMemcpy(encoded.data(), from, encoded.size(), cudaMemcpyDeviceToHost));
  return cudnn::decoded(settings.type, encoded.data(), count);
}

void Lstm::write(void* to, const std::vector<double>& values) const {
  std::vector<std::byte> encoded(values.size() * cudnn::size_of(settings.type));
  cudnn::encode(settings.type, values.data(), values.size(), encoded.data());
  copy_to(to, encoded);
}

}  // namespace vgpu::cudnn_test

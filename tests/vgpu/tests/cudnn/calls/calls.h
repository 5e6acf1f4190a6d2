// SPDX-License-Identifier: Apache-2.0
//
// Makes valid and invalid calls of cuDNN and prints their results, one per line. The real library and the stand-in must
// print the same lines. Without a GPU the real library creates no handle, but all calls here accept zeroed memory as
// one.
#pragma once

#include <cudnn.h>

#include <string>
#include <vector>

namespace vgpu::calls {

using Lengths = std::vector<int>;

cudnnHandle_t handle();

// Prints "call: ANSWER result"; the result is printed only if the call succeeded.
void print(const std::string& call, cudnnStatus_t answer, const std::string& result = "");

// Prints a call that needs the device. Statuses that are returned after all argument checks have passed are not
// distinguished.
void print_checked(const std::string& call, cudnnStatus_t answer);

std::string list(const std::vector<int>& numbers);

// The settings of a valid bidirectional LSTM, which the tests invalidate one at a time.
struct RnnSettings {
  cudnnRNNAlgo_t algo = CUDNN_RNN_ALGO_STANDARD;
  cudnnRNNMode_t cell = CUDNN_LSTM;
  cudnnRNNBiasMode_t bias = CUDNN_RNN_DOUBLE_BIAS;
  cudnnDirectionMode_t direction = CUDNN_BIDIRECTIONAL;
  cudnnRNNInputMode_t input = CUDNN_LINEAR_INPUT;
  cudnnDataType_t type = CUDNN_DATA_FLOAT, precision = CUDNN_DATA_FLOAT;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  int input_size = 3, hidden_size = 5, projection_size = 5, layers = 2;
  cudnnDropoutDescriptor_t dropout = nullptr;
  unsigned flags = CUDNN_RNN_PADDED_IO_ENABLED;

  cudnnStatus_t apply(cudnnRNNDescriptor_t descriptor) const;
};

struct DataSettings {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnRNNDataLayout_t layout = CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED;
  int max_length = 4, batch = 3, width = 3;
  Lengths lengths{4, 2, 3};
  bool filled = true;

  cudnnStatus_t apply(cudnnRNNDataDescriptor_t descriptor) const;
};

// Descriptors that live as long as the program.
cudnnDropoutDescriptor_t no_dropout();
cudnnRNNDescriptor_t make_rnn(const RnnSettings& settings);
cudnnRNNDataDescriptor_t make_data(const DataSettings& settings);
cudnnTensorDescriptor_t make_tensor(cudnnDataType_t type, const std::vector<int>& extents,
                                    std::vector<int> strides = {});

// Returns a description such as "type 0 extents 1 5 3 strides 15 3 1".
std::string describe(cudnnTensorDescriptor_t descriptor);

void try_general();
void try_tensors();
void try_dropout();
void try_rnn();
void try_data();
void try_weights();
void try_execution();

}  // namespace vgpu::calls

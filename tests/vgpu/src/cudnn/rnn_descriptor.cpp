// SPDX-License-Identifier: Apache-2.0
//
// Accepts and rejects the same arguments as the real library (tests/cudnn/calls/rnn.cpp), except for features that are
// refused by name.
#include "cudnn/rnn_descriptor.h"

namespace vgpu::cudnn {
namespace {

void check_range(int value, int first, int last, const char* what) { require(value >= first && value <= last, what); }

void check_types(const cudnnRNNStruct& rnn) {
  const bool narrow = rnn.type == CUDNN_DATA_FLOAT || rnn.type == CUDNN_DATA_HALF || rnn.type == CUDNN_DATA_BFLOAT16;
  if (narrow && rnn.precision == CUDNN_DATA_FLOAT) return;
  if (rnn.type == rnn.precision && rnn.type == CUDNN_DATA_DOUBLE) refuse("an RNN in double precision");
  if (rnn.type == rnn.precision && rnn.type == CUDNN_DATA_HALF) refuse("an RNN that computes in half precision");
  require(false, "dataType, mathPrec", CUDNN_STATUS_NOT_SUPPORTED);
}

void check(const cudnnRNNStruct& rnn) {
  check_range(rnn.algo, CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, "algo");
  check_range(rnn.cell, CUDNN_RNN_RELU, CUDNN_GRU, "cellMode");
  check_range(rnn.bias, CUDNN_RNN_NO_BIAS, CUDNN_RNN_SINGLE_REC_BIAS, "biasMode");
  check_range(rnn.direction, CUDNN_UNIDIRECTIONAL, CUDNN_BIDIRECTIONAL, "dirMode");
  check_range(rnn.input, CUDNN_LINEAR_INPUT, CUDNN_SKIP_INPUT, "inputMode");
  check_range(rnn.math, CUDNN_DEFAULT_MATH, CUDNN_FMA_MATH, "mathType");
  require((rnn.flags & ~CUDNN_RNN_PADDED_IO_ENABLED) == 0, "auxFlags");
  require(rnn.input_size > 0 && rnn.hidden_size > 0 && rnn.projection_size > 0 && rnn.layers > 0, "sizes");
  require(rnn.projection_size <= rnn.hidden_size, "projSize", CUDNN_STATUS_NOT_SUPPORTED);
  check_types(rnn);
  if (rnn.cell != CUDNN_LSTM) refuse("an RNN whose cell is not CUDNN_LSTM");
  if (rnn.algo != CUDNN_RNN_ALGO_STANDARD) refuse("an RNN by another algorithm than CUDNN_RNN_ALGO_STANDARD");
  if (rnn.input != CUDNN_LINEAR_INPUT) refuse("CUDNN_SKIP_INPUT");
  if (rnn.math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) refuse("CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION");
  if (rnn.projection_size != rnn.hidden_size) refuse("an LSTM with projection");
}

}  // namespace

const cudnnRNNStruct& at(cudnnRNNDescriptor_t descriptor) {
  const cudnnRNNStruct& rnn = Registered<cudnnRNNStruct>::at(descriptor, "rnnDesc");
  require(rnn.set, "rnnDesc was not set");
  return rnn;
}

Storage storage_of(cudnnDataType_t type) {
  if (type == CUDNN_DATA_HALF) return Storage::kHalf;
  return type == CUDNN_DATA_BFLOAT16 ? Storage::kBfloat16 : Storage::kFloat;
}

}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

LstmShape cudnnRNNStruct::shape() const {
  LstmShape shape;
  shape.input = static_cast<std::size_t>(input_size);
  shape.hidden = static_cast<std::size_t>(hidden_size);
  shape.layers = static_cast<std::size_t>(layers);
  shape.directions = direction == CUDNN_BIDIRECTIONAL ? 2 : 1;
  shape.input_bias = bias == CUDNN_RNN_SINGLE_INP_BIAS || bias == CUDNN_RNN_DOUBLE_BIAS;
  shape.recurrent_bias = bias == CUDNN_RNN_SINGLE_REC_BIAS || bias == CUDNN_RNN_DOUBLE_BIAS;
  return shape;
}

cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* descriptor) { return create(descriptor); }

cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t descriptor) {
  return outcome_of([&] { Registered<cudnnRNNStruct>::remove(descriptor, "rnnDesc"); });
}

cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t descriptor, cudnnRNNAlgo_t algo, cudnnRNNMode_t cell,
                                       cudnnRNNBiasMode_t bias, cudnnDirectionMode_t direction,
                                       cudnnRNNInputMode_t input, cudnnDataType_t type, cudnnDataType_t precision,
                                       cudnnMathType_t math, std::int32_t input_size, std::int32_t hidden_size,
                                       std::int32_t projection_size, std::int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, std::uint32_t flags) {
  return outcome_of([&] {
    cudnnRNNStruct& rnn = Registered<cudnnRNNStruct>::at(descriptor, "rnnDesc");
    const cudnnRNNStruct wanted{true,   algo,      cell, bias,       direction,   input,
                                type,   precision, math, input_size, hidden_size, projection_size,
                                layers, dropout,   flags};
    check(wanted);
    rnn = wanted;
  });
}

cudnnStatus_t cudnnGetRNNDescriptor_v8(cudnnRNNDescriptor_t descriptor, cudnnRNNAlgo_t* algo, cudnnRNNMode_t* cell,
                                       cudnnRNNBiasMode_t* bias, cudnnDirectionMode_t* direction,
                                       cudnnRNNInputMode_t* input, cudnnDataType_t* type, cudnnDataType_t* precision,
                                       cudnnMathType_t* math, std::int32_t* input_size, std::int32_t* hidden_size,
                                       std::int32_t* projection_size, std::int32_t* layers,
                                       cudnnDropoutDescriptor_t* dropout, std::uint32_t* flags) {
  return outcome_of([&] {
    const cudnnRNNStruct& rnn = at(descriptor);
    const auto tell = [](auto* to, const auto& value) {
      if (to != nullptr) *to = value;
    };
    tell(algo, rnn.algo);
    tell(cell, rnn.cell);
    tell(bias, rnn.bias);
    tell(direction, rnn.direction);
    tell(input, rnn.input);
    tell(type, rnn.type);
    tell(precision, rnn.precision);
    tell(math, rnn.math);
    tell(input_size, rnn.input_size);
    tell(hidden_size, rnn.hidden_size);
    tell(projection_size, rnn.projection_size);
    tell(layers, rnn.layers);
    tell(dropout, rnn.dropout);
    tell(flags, rnn.flags);
  });
}

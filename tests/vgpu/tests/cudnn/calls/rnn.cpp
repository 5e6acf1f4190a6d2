// SPDX-License-Identifier: Apache-2.0
#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

std::string describe(cudnnRNNDescriptor_t descriptor) {
  RnnSettings now;
  if (cudnnGetRNNDescriptor_v8(descriptor, &now.algo, &now.cell, &now.bias, &now.direction, &now.input, &now.type,
                               &now.precision, &now.math, &now.input_size, &now.hidden_size, &now.projection_size,
                               &now.layers, &now.dropout, &now.flags) != CUDNN_STATUS_SUCCESS) {
    return "unreadable";
  }
  return list({now.algo, now.cell, now.bias, now.direction, now.input, now.type, now.precision, now.math,
               now.input_size, now.hidden_size, now.projection_size, now.layers, now.dropout != nullptr,
               static_cast<int>(now.flags)});
}

template <typename Change>
void try_change(const std::string& what, Change&& change) {
  RnnSettings settings;
  settings.dropout = no_dropout();
  cudnnRNNDescriptor_t descriptor = make_rnn(settings);
  change(settings);
  const cudnnStatus_t answer = settings.apply(descriptor);
  print("rnn of " + what, answer, describe(descriptor));
  cudnnDestroyRNNDescriptor(descriptor);
}

void try_sizes() {
  for (const int size : {-1, 0, 1, 7}) {
    const std::string number = std::to_string(size);
    try_change("input size " + number, [&](auto& s) { s.input_size = size; });
    try_change("hidden size " + number, [&](auto& s) { s.hidden_size = s.projection_size = size; });
    try_change("layers " + number, [&](auto& s) { s.layers = size; });
  }
  for (const int size : {-1, 0, 6}) {
    try_change("projection size " + std::to_string(size), [&](auto& s) { s.projection_size = size; });
  }
}

void try_types() {
  const cudnnDataType_t precisions[] = {CUDNN_DATA_FLOAT, CUDNN_DATA_DOUBLE, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16};
  for (const int type : {-1, 0, 1, 2, 3, 4, 9, 12, 22}) {
    for (const cudnnDataType_t precision : precisions) {
      const bool wider = type == CUDNN_DATA_DOUBLE || (type == CUDNN_DATA_HALF && precision == CUDNN_DATA_HALF);
      for (int math = -1; math < 5; ++math) {
        // The real library accepts these combinations, but the stand-in rejects them.
        if (wider || math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) continue;
        try_change("types " + list({type, precision, math}), [&](auto& s) {
          s.type = static_cast<cudnnDataType_t>(type);
          s.precision = precision;
          s.math = static_cast<cudnnMathType_t>(math);
        });
      }
    }
  }
}

}  // namespace

void try_rnn() {
  print("create rnn at null", cudnnCreateRNNDescriptor(nullptr));
  print("destroy no rnn", cudnnDestroyRNNDescriptor(nullptr));
  cudnnRNNDescriptor_t fresh{};
  print("create rnn", cudnnCreateRNNDescriptor(&fresh));
  print("set no rnn", RnnSettings().apply(nullptr));
  for (const int wrong : {-1, 4, 5}) {
    const std::string number = std::to_string(wrong);
    try_change("algorithm " + number, [&](auto& s) { s.algo = static_cast<cudnnRNNAlgo_t>(wrong); });
    try_change("cell " + number, [&](auto& s) { s.cell = static_cast<cudnnRNNMode_t>(wrong); });
  }
  for (int value = -1; value < 5; ++value) {
    const std::string number = std::to_string(value);
    try_change("bias " + number, [&](auto& s) { s.bias = static_cast<cudnnRNNBiasMode_t>(value); });
    try_change("direction " + number, [&](auto& s) { s.direction = static_cast<cudnnDirectionMode_t>(value); });
    if (value != CUDNN_SKIP_INPUT) {
      try_change("input mode " + number, [&](auto& s) { s.input = static_cast<cudnnRNNInputMode_t>(value); });
    }
  }
  for (const unsigned flags : {0U, 1U, 2U, 3U, 1U << 31}) {
    try_change("flags " + std::to_string(flags), [&](auto& s) { s.flags = flags; });
  }
  try_change("no dropout", [](auto& s) { s.dropout = nullptr; });
  try_sizes();
  try_types();
}

}  // namespace vgpu::calls

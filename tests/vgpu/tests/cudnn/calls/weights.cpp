// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

char* const kWeights = reinterpret_cast<char*>(std::uintptr_t{1} << 20);  // this address is never dereferenced

std::string where(const void* address) {
  return address == nullptr ? "nowhere" : "at " + std::to_string(static_cast<const char*>(address) - kWeights);
}

// The arguments of a valid query, each of which is replaced in turn by something invalid.
struct Query {
  cudnnHandle_t handle = calls::handle();
  cudnnRNNDescriptor_t rnn;
  int layer = 0;
  std::size_t size = 1 << 16;
  const void* space = kWeights;
  int id = 0;
  cudnnTensorDescriptor_t matrix = make_tensor(CUDNN_DATA_FLOAT, {1, 1, 1}),
                          bias = make_tensor(CUDNN_DATA_FLOAT, {1, 1, 1});
  void *matrix_address = kWeights, *bias_address = kWeights;

  void ask(const std::string& what) {
    const cudnnStatus_t answer =
        cudnnGetRNNWeightParams(handle, rnn, layer, size, space, id, matrix, &matrix_address, bias, &bias_address);
    std::string result;
    if (answer == CUDNN_STATUS_SUCCESS && matrix != nullptr && bias != nullptr) {
      result = where(matrix_address) + ' ' + describe(matrix) + "; bias " + where(bias_address) + ' ' + describe(bias);
    }
    print(what, answer, result);
  }
};

void list_layout(const RnnSettings& settings) {
  const std::string what = "weights " + list({settings.bias, settings.direction, settings.type, settings.input_size,
                                              settings.hidden_size, settings.layers});
  Query query;
  query.rnn = make_rnn(settings);
  const cudnnStatus_t answer = cudnnGetRNNWeightSpaceSize(handle(), query.rnn, &query.size);
  print(what, answer, std::to_string(query.size));
  const int layers = settings.layers * (settings.direction == CUDNN_BIDIRECTIONAL ? 2 : 1);
  for (query.layer = 0; query.layer < layers; ++query.layer) {
    for (query.id = 0; query.id < 9; ++query.id) query.ask("  " + list({query.layer, query.id}));
  }
}

void list_layouts() {
  RnnSettings settings;
  settings.dropout = no_dropout();
  for (const int bias : {0, 1, 2, 3}) {
    settings.bias = static_cast<cudnnRNNBiasMode_t>(bias);
    for (const int direction : {0, 1}) {
      settings.direction = static_cast<cudnnDirectionMode_t>(direction);
      for (const cudnnDataType_t type : {CUDNN_DATA_FLOAT, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16}) {
        settings.type = type;
        for (settings.layers = 1; settings.layers < 4; ++settings.layers) list_layout(settings);
      }
    }
  }
  settings = RnnSettings();
  settings.dropout = no_dropout();
  for (const int size : {1, 64, 127}) {
    settings.input_size = 2 * size;
    settings.hidden_size = settings.projection_size = size;
    list_layout(settings);
  }
}

}  // namespace

void try_weights() {
  RnnSettings settings;
  settings.dropout = no_dropout();
  cudnnRNNDescriptor_t rnn = make_rnn(settings);
  const auto spoiled = [&](const std::string& what, auto&& change) {
    Query query;
    query.rnn = rnn;
    change(query);
    query.ask("where weights are, " + what);
  };
  for (const int layer : {-1, 4}) spoiled("layer " + std::to_string(layer), [&](Query& q) { q.layer = layer; });
  for (const int id : {-1, 8, 9, 10}) spoiled("id " + std::to_string(id), [&](Query& q) { q.id = id; });
  for (const int size : {0, 1, 59, 60, 2000, 3680, 3681, 3699, 3700, 4319, 4320, 4324}) {
    spoiled("size " + std::to_string(size), [&](Query& q) { q.size = static_cast<std::size_t>(size); });
  }
  spoiled("no handle", [](Query& q) { q.handle = nullptr; });
  spoiled("no rnn", [](Query& q) { q.rnn = nullptr; });
  spoiled("no space", [](Query& q) { q.space = nullptr; });
  spoiled("no matrix", [](Query& q) { q.matrix = nullptr; });
  spoiled("no bias", [](Query& q) { q.bias = nullptr; });
  std::size_t size = 0;
  print("size of weights with no handle", cudnnGetRNNWeightSpaceSize(nullptr, rnn, &size));
  print("size of weights of no rnn", cudnnGetRNNWeightSpaceSize(handle(), nullptr, &size));
  print("size of weights to null", cudnnGetRNNWeightSpaceSize(handle(), rnn, nullptr));
  list_layouts();
}

}  // namespace vgpu::calls

// SPDX-License-Identifier: Apache-2.0
#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

std::string describe(cudnnRNNDataDescriptor_t descriptor, int requested, cudnnStatus_t& answer) {
  DataSettings now;
  now.lengths.assign(8, -7);
  double fill = -7;
  answer = cudnnGetRNNDataDescriptor(descriptor, &now.type, &now.layout, &now.max_length, &now.batch, &now.width,
                                     requested, now.lengths.data(), &fill);
  return list({now.type, now.layout, now.max_length, now.batch, now.width}) + ": " + list(now.lengths);
}

template <typename Change>
void try_change(const std::string& what, Change&& change) {
  DataSettings settings;
  cudnnRNNDataDescriptor_t descriptor = make_data(settings);
  change(settings);
  const cudnnStatus_t set = settings.apply(descriptor);
  cudnnStatus_t get{};
  const std::string now = describe(descriptor, settings.batch, get);
  print("sequences of " + what, set, now);
  cudnnDestroyRNNDataDescriptor(descriptor);
}

void try_lengths(cudnnRNNDataLayout_t layout) {
  for (const Lengths& lengths : std::vector<Lengths>{{4, 2, 3},
                                                     {4, 3, 2},
                                                     {2, 3, 4},
                                                     {4, 4, 4},
                                                     {3, 3, 2},
                                                     {4, 3, 0},
                                                     {0, 4, 3},
                                                     {0, 0, 0},
                                                     {4, 3, -1},
                                                     {5, 4, 3}}) {
    try_change("layout " + std::to_string(layout) + " lengths " + list(lengths), [&](auto& s) {
      s.layout = layout;
      s.lengths = lengths;
    });
  }
}

}  // namespace

void try_data() {
  print("create sequences at null", cudnnCreateRNNDataDescriptor(nullptr));
  print("destroy no sequences", cudnnDestroyRNNDataDescriptor(nullptr));
  cudnnRNNDataDescriptor_t fresh{};
  print("create sequences", cudnnCreateRNNDataDescriptor(&fresh));
  print("set no sequences", DataSettings().apply(nullptr));
  for (int type = -1; type < 23; ++type) {
    if (type == CUDNN_DATA_DOUBLE) continue;  // the real library accepts this type
    try_change("type " + std::to_string(type), [&](auto& s) { s.type = static_cast<cudnnDataType_t>(type); });
  }
  for (int layout = -1; layout < 4; ++layout) {
    try_change("layout " + std::to_string(layout),
               [&](auto& s) { s.layout = static_cast<cudnnRNNDataLayout_t>(layout); });
  }
  for (int layout = 0; layout < 3; ++layout) try_lengths(static_cast<cudnnRNNDataLayout_t>(layout));
  for (const int size : {-1, 0, 1, 2, 6}) {
    const std::string number = std::to_string(size);
    try_change("longest " + number, [&](auto& s) { s.max_length = size; });
    if (size <= 3) try_change("batch " + number, [&](auto& s) { s.batch = size; });
    try_change("width " + number, [&](auto& s) { s.width = size; });
  }
  try_change("no lengths", [](auto& s) { s.lengths.clear(); });
  try_change("no fill", [](auto& s) { s.filled = false; });
  cudnnRNNDataDescriptor_t made = make_data({});
  for (int requested = -1; requested < 6; ++requested) {
    cudnnStatus_t answer{};
    const std::string now = describe(made, requested, answer);
    print("get " + std::to_string(requested) + " lengths of three", answer, now);
  }
  cudnnDataType_t type{};
  cudnnRNNDataLayout_t layout{};
  int a = 0, b = 0, c = 0, lengths[3];
  double fill = 0;
  print("get no sequences", cudnnGetRNNDataDescriptor(nullptr, &type, &layout, &a, &b, &c, 3, lengths, &fill));
}

}  // namespace vgpu::calls

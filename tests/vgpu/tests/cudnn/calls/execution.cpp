// SPDX-License-Identifier: Apache-2.0
//
// Makes only calls that are rejected before the device is needed.
#include <cstdint>

#include "cudnn/calls/calls.h"

namespace vgpu::calls {
namespace {

constexpr std::size_t kPlenty = std::size_t{1} << 40;

// Returns an address that is never accessed, because each call here has one invalid argument.
void* somewhere(int place) {
  return reinterpret_cast<void*>((std::uintptr_t{1} << 40) + (std::uintptr_t{1} << 32) * place);
}

DataSettings y_settings(DataSettings settings = {}) {
  settings.width = 10;
  return settings;
}

struct Run {
  cudnnHandle_t handle = calls::handle();
  cudnnRNNDescriptor_t rnn;
  cudnnRNNDataDescriptor_t x = make_data({}), y = make_data(y_settings());
  cudnnTensorDescriptor_t h = make_tensor(CUDNN_DATA_FLOAT, {4, 3, 5}), c = make_tensor(CUDNN_DATA_FLOAT, {4, 3, 5});
  std::size_t weight_size = 4320, work_size = kPlenty, reserve_size = kPlenty;
  void *weights = somewhere(0), *work = somewhere(1), *reserve = somewhere(2);

  Run() {
    RnnSettings settings;
    settings.dropout = no_dropout();
    rnn = make_rnn(settings);
  }

  void forward(const std::string& what) const {
    print_checked("forward, " + what,
                  cudnnRNNForward(handle, rnn, CUDNN_FWD_MODE_TRAINING, nullptr, x, somewhere(3), y, somewhere(4), h,
                                  somewhere(5), somewhere(6), c, somewhere(7), somewhere(8), weight_size, weights,
                                  work_size, work, reserve_size, reserve));
  }
  void backward_data(const std::string& what) const {
    print_checked("backward data, " + what,
                  cudnnRNNBackwardData_v8(handle, rnn, nullptr, y, somewhere(3), somewhere(4), x, somewhere(5), h,
                                          somewhere(6), somewhere(7), somewhere(8), c, somewhere(9), somewhere(10),
                                          somewhere(11), weight_size, weights, work_size, work, reserve_size, reserve));
  }
  void backward_weights(const std::string& what, int mode = CUDNN_WGRAD_MODE_ADD) const {
    print_checked("backward weights, " + what,
                  cudnnRNNBackwardWeights_v8(handle, rnn, static_cast<cudnnWgradMode_t>(mode), nullptr, x, somewhere(3),
                                             h, somewhere(4), y, somewhere(5), weight_size, weights, work_size, work,
                                             reserve_size, reserve));
  }
};

template <typename Change>
void spoil(const std::string& what, bool weights_too, Change&& change) {
  Run run;
  change(run);
  run.forward(what);
  run.backward_data(what);
  if (weights_too) run.backward_weights(what);
}

void spoil_data(const std::string& what, const DataSettings& settings) {
  spoil("x of " + what, true, [&](Run& run) { run.x = make_data(settings); });
  spoil("y of " + what, true, [&](Run& run) { run.y = make_data(y_settings(settings)); });
}

void try_temporary_space() {
  Run run;
  std::size_t work = 0, reserve = 0;
  const auto ask = [&](const std::string& what, const Run& r, int mode, std::size_t* to_work, std::size_t* to_reserve) {
    print_checked(
        "size of temporary space, " + what,
        cudnnGetRNNTempSpaceSizes(r.handle, r.rnn, static_cast<cudnnForwardMode_t>(mode), r.x, to_work, to_reserve));
  };
  for (int mode = -1; mode < 3; ++mode) ask("mode " + std::to_string(mode), run, mode, &work, &reserve);
  ask("of work alone", run, CUDNN_FWD_MODE_TRAINING, &work, nullptr);
  ask("of reserve alone", run, CUDNN_FWD_MODE_TRAINING, nullptr, &reserve);
  ask("of nothing", run, CUDNN_FWD_MODE_TRAINING, nullptr, nullptr);
  const auto spoiled = [&](const std::string& what, auto&& change) {
    Run r;
    change(r);
    ask(what, r, CUDNN_FWD_MODE_TRAINING, &work, &reserve);
  };
  spoiled("no handle", [](Run& r) { r.handle = nullptr; });
  spoiled("no rnn", [](Run& r) { r.rnn = nullptr; });
  spoiled("no x", [](Run& r) { r.x = nullptr; });
  spoiled("x of another width", [](Run& r) { r.x = r.y; });
  DataSettings half;
  half.type = CUDNN_DATA_HALF;
  spoiled("x of another type", [&](Run& r) { r.x = make_data(half); });
}

}  // namespace

void try_execution() {
  try_temporary_space();
  spoil("no handle", true, [](Run& run) { run.handle = nullptr; });
  spoil("no rnn", true, [](Run& run) { run.rnn = nullptr; });
  spoil("no x", true, [](Run& run) { run.x = nullptr; });
  spoil("no y", true, [](Run& run) { run.y = nullptr; });
  spoil("no h", true, [](Run& run) { run.h = nullptr; });
  spoil("no c", false, [](Run& run) { run.c = nullptr; });
  spoil("few weights", true, [](Run& run) { --run.weight_size; });
  spoil("no weights", true, [](Run& run) { run.weights = nullptr; });
  spoil("little workspace", true, [](Run& run) { run.work_size = 100; });
  spoil("no workspace", true, [](Run& run) { run.work = nullptr; });
  spoil("little reserve", true, [](Run& run) { run.reserve_size = 100; });
  spoil("no reserve", true, [](Run& run) { run.reserve = nullptr; });
  DataSettings other;
  other.max_length = 5;
  spoil_data("another longest", other);
  other = {};
  other.lengths = {4, 3, 3};
  spoil_data("other lengths", other);
  other = {};
  other.batch = 4;
  other.lengths = {4, 2, 3, 1};
  spoil_data("another batch", other);
  other = {};
  other.layout = CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED;
  spoil_data("another layout", other);
  other = {};
  other.type = CUDNN_DATA_HALF;
  spoil_data("another type", other);
  spoil("x of another width", true, [](Run& run) { run.x = run.y; });
  spoil("y of another width", true, [](Run& run) { run.y = run.x; });
  for (const std::vector<int>& extents : std::vector<std::vector<int>>{{2, 3, 5}, {4, 4, 5}, {4, 3, 6}, {4, 15}}) {
    spoil("h of " + list(extents), true, [&](Run& run) { run.h = make_tensor(CUDNN_DATA_FLOAT, extents); });
    spoil("c of " + list(extents), false, [&](Run& run) { run.c = make_tensor(CUDNN_DATA_FLOAT, extents); });
  }
  spoil("h with gaps", true, [](Run& run) { run.h = make_tensor(CUDNN_DATA_FLOAT, {4, 3, 5}, {30, 10, 2}); });
  spoil("c with gaps", false, [](Run& run) { run.c = make_tensor(CUDNN_DATA_FLOAT, {4, 3, 5}, {30, 10, 2}); });
  RnnSettings unpadded;
  unpadded.dropout = no_dropout();
  unpadded.flags = CUDNN_RNN_PADDED_IO_DISABLED;
  spoil("padding without padded io", true, [&](Run& run) { run.rnn = make_rnn(unpadded); });
  other = {};
  other.layout = CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED;
  other.lengths = {4, 4, 4};
  spoil("batch-major without padded io", true, [&](Run& run) {
    run.rnn = make_rnn(unpadded);
    run.x = make_data(other);
    run.y = make_data(y_settings(other));
  });
  Run().backward_weights("to set", CUDNN_WGRAD_MODE_SET);
  Run().backward_weights("mode 2", 2);
}

}  // namespace vgpu::calls

// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "cudnn/problem.h"
#include "cudnn/reserve.h"

namespace vgpu::cudnn {
namespace {

struct Forward {
  Problem problem;
  bool training;
  std::vector<std::byte> fill;
  const void* x;
  void* y;
  const void *hx, *cx;
  void *hy, *cy;
  Buffers buffers;

  static constexpr const char* kName = "cudnn_rnn_forward";

  Ranges ranges() const {
    Ranges all;
    all.read(x, problem.rows_bytes(problem.shape.input));
    all.read(hx, problem.state_bytes());
    all.read(cx, problem.state_bytes());
    all.read(buffers.weights, problem.weight_bytes());
    all.write(y, problem.rows_bytes(problem.shape.output()));
    all.write(hy, problem.state_bytes());
    all.write(cy, problem.state_bytes());
    all.write(buffers.work, problem.work_bytes(training));
    if (training) all.write(buffers.reserve, problem.reserve_bytes());
    if (draws()) all.update(problem.dropout_states, sizeof(DropoutState));
    return all;
  }

  void run() const {
    Network network = problem.network();
    network.set_weights(weights_at(problem, buffers.weights), problem.tf32);
    std::vector<double> h = states_at(problem, hx), c = states_at(problem, cx), tape(network.tape_size());
    const DropoutMask mask = draws() ? draw() : DropoutMask{};
    network.forward(rows_at(problem, x, problem.shape.input, Padding::kFinite).data(), mask, h, c, tape);
    write_rows(problem, network.y(tape), y, problem.shape.output(), fill);
    write_states(problem, h, hy);
    write_states(problem, c, cy);
    spoil(buffers.work, problem.work_bytes(training));
    if (training)
      Reserve{Phase::kForwardDone, mask, hx != nullptr, cx != nullptr, std::move(tape)}.store(problem, buffers.reserve);
  }

 private:
  bool draws() const { return training && problem.dropout > 0; }

  // Each call draws a new mask, and so does each launch of a graph that contains the call.
  DropoutMask draw() const {
    std::byte* place = host(problem.dropout_states, sizeof(DropoutState));
    DropoutState state;
    std::memcpy(&state, place, sizeof state);
    if (state.magic != kDropoutMagic) find_fault("the states of dropout were not made by cudnnSetDropoutDescriptor");
    const DropoutMask mask{problem.dropout, state.seed, state.drawn++};
    std::memcpy(place, &state, sizeof state);
    return mask;
  }
};

}  // namespace
}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, std::size_t* work, std::size_t* reserve) {
  return outcome_of([&] {
    at(handle);
    require(mode == CUDNN_FWD_MODE_INFERENCE || mode == CUDNN_FWD_MODE_TRAINING, "fwdMode");
    const bool training = mode == CUDNN_FWD_MODE_TRAINING;
    const Problem problem = problem_of(at(rnn), at(x));
    if (work != nullptr) *work = problem.work_bytes(training);
    if (reserve != nullptr) *reserve = training ? problem.reserve_bytes() : 0;
  });
}

// The sequence lengths on the device are ignored: cuDNN accepts any, and has not required them since 8.9.1.
cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnForwardMode_t mode,
                              const std::int32_t* /*devSeqLengths*/, cudnnRNNDataDescriptor_t x_descriptor,
                              const void* x, cudnnRNNDataDescriptor_t y_descriptor, void* y, cudnnTensorDescriptor_t h,
                              const void* hx, void* hy, cudnnTensorDescriptor_t c, const void* cx, void* cy,
                              std::size_t weight_bytes, const void* weights, std::size_t work_bytes, void* work,
                              std::size_t reserve_bytes, void* reserve) {
  return outcome_of([&] {
    const cudnnContext& context = at(handle);
    may_fail(CUDNN_STATUS_EXECUTION_FAILED);
    require(mode == CUDNN_FWD_MODE_INFERENCE || mode == CUDNN_FWD_MODE_TRAINING, "fwdMode");
    const cudnnRNNDataStruct& output = at(y_descriptor);
    const Problem problem = checked_problem(context, at(rnn), at(x_descriptor), output);
    check_states(problem, h, hx != nullptr || hy != nullptr, "hDesc");
    check_states(problem, c, cx != nullptr || cy != nullptr, "cDesc");
    require(x != nullptr && y != nullptr, "x, y");
    const bool training = mode == CUDNN_FWD_MODE_TRAINING;
    const Buffers buffers{weights, weight_bytes, work, work_bytes, reserve, reserve_bytes};
    check_buffers(problem, buffers, training);
    const Forward forward{problem, training, output.fill, x, y, hx, cx, hy, cy, buffers};
    issue(context, forward.ranges(), forward);
  });
}

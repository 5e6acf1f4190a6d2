// SPDX-License-Identifier: Apache-2.0
#include "cudnn/problem.h"
#include "cudnn/reserve.h"

namespace vgpu::cudnn {
namespace {

struct BackwardWeights {
  Problem problem;
  const void *x, *hx, *y;
  void* derivatives;
  Buffers buffers;

  static constexpr const char* kName = "cudnn_rnn_backward_weights";

  Ranges ranges() const {
    Ranges all;
    all.read(x, problem.rows_bytes(problem.shape.input));
    all.read(y, problem.rows_bytes(problem.shape.output()));
    all.read(hx, problem.state_bytes());
    all.update(derivatives, problem.weight_bytes());
    all.write(buffers.work, problem.work_bytes(true));
    all.read(buffers.reserve, problem.reserve_bytes());
    return all;
  }

  void run() const {
    Network network = problem.network();
    Reserve reserve = Reserve::load(problem, buffers.reserve, Phase::kDataDone, kName);
    if ((hx != nullptr) != reserve.has_h)
      find_fault(std::string(kName) + ": forward had a first h and this call has none, or the other way round");
    // Only the layout matters here, so the gradients accumulated so far can be passed as the weights.
    std::vector<double> sums = weights_at(problem, derivatives);
    network.set_weights(sums, problem.tf32);
    const std::vector<double> added =
        network.weight_derivatives(rows_at(problem, x, problem.shape.input, Padding::kFinite).data(),
                                   states_at(problem, hx), reserve.mask, reserve.tape);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += added[i];
    encode(problem.type, sums.data(), sums.size(), host(derivatives, problem.weight_bytes()));
    spoil(buffers.work, problem.work_bytes(true));
  }
};

}  // namespace
}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnWgradMode_t mode,
                                         const std::int32_t* /*devSeqLengths*/, cudnnRNNDataDescriptor_t x_descriptor,
                                         const void* x, cudnnTensorDescriptor_t h, const void* hx,
                                         cudnnRNNDataDescriptor_t y_descriptor, const void* y, std::size_t weight_bytes,
                                         void* derivatives, std::size_t work_bytes, void* work,
                                         std::size_t reserve_bytes, void* reserve) {
  return outcome_of([&] {
    const cudnnContext& context = at(handle);
    may_fail(CUDNN_STATUS_EXECUTION_FAILED);
    require(mode == CUDNN_WGRAD_MODE_ADD || mode == CUDNN_WGRAD_MODE_SET, "addGrad");
    require(mode == CUDNN_WGRAD_MODE_ADD, "CUDNN_WGRAD_MODE_SET", CUDNN_STATUS_NOT_SUPPORTED);
    const Problem problem = checked_problem(context, at(rnn), at(x_descriptor), at(y_descriptor));
    check_states(problem, h, hx != nullptr, "hDesc");
    require(x != nullptr && y != nullptr, "x, y");
    const Buffers buffers{derivatives, weight_bytes, work, work_bytes, reserve, reserve_bytes};
    check_buffers(problem, buffers, true);
    const BackwardWeights backward{problem, x, hx, y, derivatives, buffers};
    issue(context, backward.ranges(), backward);
  });
}

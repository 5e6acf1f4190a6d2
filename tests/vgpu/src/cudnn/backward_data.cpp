// SPDX-License-Identifier: Apache-2.0
#include "cudnn/problem.h"
#include "cudnn/reserve.h"

namespace vgpu::cudnn {
namespace {

struct BackwardData {
  Problem problem;
  std::vector<std::byte> fill;
  const void *y, *dy;
  void* dx;
  const void *hx, *cx, *dhy, *dcy;
  void *dhx, *dcx;
  Buffers buffers;

  static constexpr const char* kName = "cudnn_rnn_backward_data";

  Ranges ranges() const {
    Ranges all;
    all.read(y, problem.rows_bytes(problem.shape.output()));
    all.read(dy, problem.rows_bytes(problem.shape.output()));
    for (const void* states : {hx, cx, dhy, dcy}) all.read(states, problem.state_bytes());
    all.read(buffers.weights, problem.weight_bytes());
    all.write(dx, problem.rows_bytes(problem.shape.input));
    all.write(dhx, problem.state_bytes());
    all.write(dcx, problem.state_bytes());
    all.write(buffers.work, problem.work_bytes(true));
    all.update(buffers.reserve, problem.reserve_bytes());
    return all;
  }

  void run() const {
    Network network = problem.network();
    network.set_weights(weights_at(problem, buffers.weights), problem.tf32);
    Reserve reserve = Reserve::load(problem, buffers.reserve, Phase::kForwardDone, kName);
    if ((hx != nullptr) != reserve.has_h || (cx != nullptr) != reserve.has_c)
      find_fault(std::string(kName) + ": forward had first states and this call has none, or the other way round");
    check_y(network, reserve);
    std::vector<double> dh = states_at(problem, dhy), dc = states_at(problem, dcy);
    const std::vector<double> result = network.backward(rows_at(problem, dy, problem.shape.output(), Padding::kFinite),
                                                        states_at(problem, cx), reserve.mask, dh, dc, reserve.tape);
    write_rows(problem, result.data(), dx, problem.shape.input, fill);
    write_states(problem, dh, dhx);
    write_states(problem, dc, dcx);
    spoil(buffers.work, problem.work_bytes(true));
    reserve.phase = Phase::kDataDone;
    reserve.store(problem, buffers.reserve);
  }

 private:
  // cuDNN reads y. The stand-in uses the unrounded values in the reserve space, which must agree with y.
  void check_y(const Network& network, Reserve& reserve) const {
    const std::size_t size = problem.sequences.padded_rows() * problem.shape.output();
    const std::vector<double> given = rows_at(problem, y, problem.shape.output(), Padding::kAny);
    std::vector<std::byte> rounded(problem.bytes(size));
    encode(problem.type, network.y(reserve.tape), size, rounded.data());
    const std::vector<double> expected = decoded(problem.type, rounded.data(), size);
    for (std::size_t i = 0; i < size; ++i) {
      if (given[i] != expected[i] && given[i] == given[i])
        find_fault(std::string(kName) + ": y is not what forward wrote");
    }
  }
};

}  // namespace
}  // namespace vgpu::cudnn

using namespace vgpu::cudnn;

cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                                      const std::int32_t* /*devSeqLengths*/, cudnnRNNDataDescriptor_t y_descriptor,
                                      const void* y, const void* dy, cudnnRNNDataDescriptor_t x_descriptor, void* dx,
                                      cudnnTensorDescriptor_t h, const void* hx, const void* dhy, void* dhx,
                                      cudnnTensorDescriptor_t c, const void* cx, const void* dcy, void* dcx,
                                      std::size_t weight_bytes, const void* weights, std::size_t work_bytes, void* work,
                                      std::size_t reserve_bytes, void* reserve) {
  return outcome_of([&] {
    const cudnnContext& context = at(handle);
    may_fail(CUDNN_STATUS_EXECUTION_FAILED);
    const cudnnRNNDataStruct& input = at(x_descriptor);
    const Problem problem = checked_problem(context, at(rnn), input, at(y_descriptor));
    check_states(problem, h, hx != nullptr || dhy != nullptr || dhx != nullptr, "hDesc");
    check_states(problem, c, cx != nullptr || dcy != nullptr || dcx != nullptr, "cDesc");
    require(y != nullptr && dy != nullptr && dx != nullptr, "y, dy, dx");
    const Buffers buffers{weights, weight_bytes, work, work_bytes, reserve, reserve_bytes};
    check_buffers(problem, buffers, true);
    const BackwardData backward{problem, input.fill, y, dy, dx, hx, cx, dhy, dcy, dhx, dcx, buffers};
    issue(context, backward.ranges(), backward);
  });
}

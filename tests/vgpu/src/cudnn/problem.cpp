// SPDX-License-Identifier: Apache-2.0
//
// The checks of descriptors and sizes are those of the real library (tests/cudnn/calls/execution.cpp). Arguments that
// it accepts but that fail on the device are refused here: null tensors, states of another type, missing dropout
// states, and sequences of length zero, for which cuDNN is reported, though not documented, to fail.
#include "cudnn/problem.h"

#include <algorithm>
#include <cmath>

#include "cudnn/dropout_descriptor.h"
#include "cudnn/tensor_descriptor.h"

namespace vgpu::cudnn {
namespace {

cudnnDataType_t type_of(Storage type) {
  if (type == Storage::kHalf) return CUDNN_DATA_HALF;
  return type == Storage::kBfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

void check_padding(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x) {
  if (rnn.padded_io() || x.layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED) return;
  const bool whole = std::all_of(x.lengths.begin(), x.lengths.end(), [&](int length) { return length == x.longest; });
  require(x.layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED && whole, "padding needs CUDNN_RNN_PADDED_IO_ENABLED");
}

void check_finite(const std::vector<double>& padding) {
  const bool finite = std::all_of(padding.begin(), padding.end(), [](double number) { return std::isfinite(number); });
  if (!finite) find_fault("there is NaN or infinity in the padding of a tensor");
}

// TF32 follows the manual's description of math types: from sm_80 on, except with CUDNN_FMA_MATH.
bool may_use_tf32(const cudnnRNNStruct& rnn, int device) {
  int major = 0;
  require(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess, "no device");
  return rnn.type == CUDNN_DATA_FLOAT && rnn.math != CUDNN_FMA_MATH && major >= 8;
}

}  // namespace

Problem problem_of(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x) {
  require(x.width == rnn.input_size, "the vectors of xDesc are not of inputSize");
  require(x.type == rnn.type, "xDesc is of another type than rnnDesc");
  Problem problem{storage_of(rnn.type), rnn.shape(), x.sequences()};
  if (rnn.dropout == nullptr || rnn.layers == 1) return problem;
  const cudnnDropoutStruct& dropout = at(rnn.dropout);
  problem.dropout = static_cast<double>(dropout.dropout);
  problem.dropout_states = dropout.states;
  return problem;
}

Problem checked_problem(const cudnnContext& context, const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x,
                        const cudnnRNNDataStruct& y) {
  int device = -1;
  require(cudaGetDevice(&device) == cudaSuccess && device == context.device, "the handle is another device's");
  Problem problem = problem_of(rnn, x);
  require(x.type == y.type, "xDesc and yDesc differ in type");
  require(x.layout == y.layout, "xDesc and yDesc differ in layout");
  require(x.longest == y.longest && x.batch == y.batch, "xDesc and yDesc differ in maxSeqLength or batchSize");
  require(x.lengths == y.lengths, "xDesc and yDesc differ in seqLengthArray");
  require(static_cast<std::size_t>(y.width) == problem.shape.output(), "the vectors of yDesc are not of hiddenSize");
  check_padding(rnn, x);
  require(*std::min_element(x.lengths.begin(), x.lengths.end()) > 0, "a sequence without steps",
          CUDNN_STATUS_EXECUTION_FAILED);
  problem.tf32 = may_use_tf32(rnn, device);
  require(problem.dropout >= 0 && problem.dropout <= 1, "dropout is no probability");
  return problem;
}

void check_states(const Problem& problem, cudnnTensorDescriptor_t descriptor, bool used, const char* what) {
  require(descriptor != nullptr || !used, what);
  if (descriptor == nullptr) return;
  const cudnnTensorStruct& tensor = at(descriptor);
  const std::vector<int> extents{static_cast<int>(problem.shape.pseudo_layers()),
                                 static_cast<int>(problem.sequences.batch), static_cast<int>(problem.shape.hidden)};
  require(tensor.extents == extents && tensor.is_packed() && tensor.type == type_of(problem.type), what);
}

void check_buffers(const Problem& problem, const Buffers& buffers, bool training) {
  require(buffers.weights != nullptr && buffers.weight_bytes >= problem.weight_bytes(), "weightSpace");
  require(buffers.work != nullptr && buffers.work_bytes >= problem.work_bytes(training), "workSpace");
  if (!training) return;
  require(buffers.reserve != nullptr && buffers.reserve_bytes >= problem.reserve_bytes(), "reserveSpace");
  require(problem.dropout == 0 || problem.dropout_states != nullptr, "dropout without states");
}

std::vector<double> rows_at(const Problem& problem, const void* rows, std::size_t width, Padding padding) {
  const Sequences& sequences = problem.sequences;
  const std::vector<std::size_t> places = sequences.memory_row_of_padded_rows();
  const bool checked = padding == Padding::kFinite && sequences.layout != Layout::kPacked;
  const std::byte* memory = host(rows, problem.rows_bytes(width));
  std::vector<double> result(sequences.padded_rows() * width);
  for (std::size_t time = 0; time < sequences.longest; ++time) {
    for (std::size_t sequence = 0; sequence < sequences.batch; ++sequence) {
      const std::size_t row = sequences.padded_row(time, sequence);
      const std::byte* from = memory + problem.bytes(places[row] * width);
      if (sequences.holds(time, sequence)) {
        decode(problem.type, from, width, result.data() + row * width);
      } else if (checked) {
        check_finite(decoded(problem.type, from, width));
      }
    }
  }
  return result;
}

void write_rows(const Problem& problem, const double* from, void* rows, std::size_t width,
                const std::vector<std::byte>& fill) {
  const Sequences& sequences = problem.sequences;
  const std::vector<std::size_t> places = sequences.memory_row_of_padded_rows();
  const std::size_t bytes = problem.rows_bytes(width);
  std::byte* memory = host(rows, bytes);
  for (std::size_t i = 0; i < bytes; ++i) memory[i] = fill.empty() ? std::byte{0xff} : fill[i % fill.size()];
  for (std::size_t time = 0; time < sequences.longest; ++time) {
    for (std::size_t sequence = 0; sequence < sequences.batch; ++sequence) {
      if (!sequences.holds(time, sequence)) continue;
      const std::size_t row = sequences.padded_row(time, sequence);
      encode(problem.type, from + row * width, width, memory + problem.bytes(places[row] * width));
    }
  }
}

std::vector<double> states_at(const Problem& problem, const void* states) {
  const std::size_t size = problem.network().states_size();
  if (states == nullptr) return std::vector<double>(size);
  return decoded(problem.type, host(states, problem.state_bytes()), size);
}

void write_states(const Problem& problem, const std::vector<double>& from, void* states) {
  if (states != nullptr) encode(problem.type, from.data(), from.size(), host(states, problem.state_bytes()));
}

std::vector<double> weights_at(const Problem& problem, const void* weights) {
  return decoded(problem.type, host(weights, problem.weight_bytes()), WeightLayout(problem.shape).size());
}

void spoil(void* work, std::size_t bytes) { std::fill_n(host(work, bytes), bytes, std::byte{0xff}); }

}  // namespace vgpu::cudnn

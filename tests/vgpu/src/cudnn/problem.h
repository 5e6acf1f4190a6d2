// SPDX-License-Identifier: Apache-2.0
//
// Shared by the calls that compute: checks their descriptors against each other, and provides the sizes of their
// buffers and their tensors in the layout of the computation. Everything is copied from the descriptors at the time of
// the call.
#pragma once

#include <cstddef>
#include <vector>

#include "cudnn/dropout_mask.h"
#include "cudnn/issue.h"
#include "cudnn/network.h"
#include "cudnn/rnn_data_descriptor.h"
#include "cudnn/rnn_descriptor.h"
#include "cudnn/storage.h"

namespace vgpu::cudnn {

struct Problem {
  Storage type;
  LstmShape shape;
  Sequences sequences;
  double dropout = 0;  // 0 for a single layer
  void* dropout_states = nullptr;
  bool tf32 = false;  // cuDNN may use tensor cores for fp32, so it is assumed to

  Network network() const { return {shape, sequences}; }

  std::size_t bytes(std::size_t elements) const { return elements * size_of(type); }
  std::size_t weight_bytes() const { return bytes(WeightLayout(shape).size()); }
  std::size_t state_bytes() const { return bytes(network().states_size()); }
  std::size_t rows_bytes(std::size_t width) const { return bytes(sequences.memory_rows() * width); }
  std::size_t work_bytes(bool training) const;
  std::size_t reserve_bytes() const;
};

// The buffers of a call other than its tensors.
struct Buffers {
  const void* weights;
  std::size_t weight_bytes;
  void* work;
  std::size_t work_bytes;
  void* reserve;
  std::size_t reserve_bytes;
};

// The part that depends only on x: the query for the temporary space sizes has no other arguments.
Problem problem_of(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x);

// Makes the checks that all three calls have in common and that cuDNN makes as well. h and c may be null, in which case
// there are no states.
Problem checked_problem(const cudnnContext& context, const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x,
                        const cudnnRNNDataStruct& y);
void check_states(const Problem& problem, cudnnTensorDescriptor_t descriptor, bool used, const char* what);
void check_buffers(const Problem& problem, const Buffers& buffers, bool training);

// In the computation, padding rows are zero. cuDNN does not guarantee that it never reads them, so they count as read
// and must contain finite values.
enum class Padding { kFinite, kAny };
std::vector<double> rows_at(const Problem& problem, const void* rows, std::size_t width, Padding padding);

// Padding rows receive the fill value, or NaN if the descriptor has none. The manual says so for y; for dx it is
// inferred from dx being an output, and was not observed on a GPU.
void write_rows(const Problem& problem, const double* from, void* rows, std::size_t width,
                const std::vector<std::byte>& fill);

// Converts states or their derivatives. Null reads as zero and is not written.
std::vector<double> states_at(const Problem& problem, const void* states);
void write_states(const Problem& problem, const std::vector<double>& from, void* states);

std::vector<double> weights_at(const Problem& problem, const void* weights);

// Overwrites the workspace, so that programs cannot rely on its contents.
void spoil(void* work, std::size_t bytes);

}  // namespace vgpu::cudnn

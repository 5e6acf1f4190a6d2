// SPDX-License-Identifier: Apache-2.0
//
// What the calls that compute have in common: their descriptors checked against each other, the sizes of their buffers, and
// their tensors as the computation sees them. Everything is copied out of the descriptors when the call is made.
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
  double dropout = 0;  // 0 where no layer passes anything on to another
  void* dropout_states = nullptr;
  bool tf32 = false;  // where cuDNN may use tensor cores for fp32, it does

  Network network() const { return {shape, sequences}; }

  std::size_t bytes(std::size_t elements) const { return elements * size_of(type); }
  std::size_t weight_bytes() const { return bytes(WeightLayout(shape).size()); }
  std::size_t state_bytes() const { return bytes(network().states_size()); }
  std::size_t rows_bytes(std::size_t width) const { return bytes(sequences.memory_rows() * width); }
  std::size_t work_bytes(bool training) const;
  std::size_t reserve_bytes() const;
};

// A call's buffers beside its tensors.
struct Buffers {
  const void* weights;
  std::size_t weight_bytes;
  void* work;
  std::size_t work_bytes;
  void* reserve;
  std::size_t reserve_bytes;
};

// The part that has to do with x alone, which is all that the size of temporary space is asked with.
Problem problem_of(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x);

// The checks that all three calls make, in the real library's sense of valid. h and c may be null for no state at all.
Problem checked_problem(const cudnnContext& context, const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x,
                        const cudnnRNNDataStruct& y);
void check_states(const Problem& problem, cudnnTensorDescriptor_t descriptor, bool used, const char* what);
void check_buffers(const Problem& problem, const Buffers& buffers, bool training);

// Rows of padding are zeros for the computation. cuDNN does not say that it leaves them unread, so they count as read, and
// what a program put there has to be finite.
enum class Padding { kFinite, kAny };
std::vector<double> rows_at(const Problem& problem, const void* rows, std::size_t width, Padding padding);

// Rows of padding get the fill, or NaN where it is not defined what they hold. For y that is the manual's word; that dx gets the
// fill of its descriptor follows from it being an output, and was not seen on a GPU.
void write_rows(const Problem& problem, const double* from, void* rows, std::size_t width,
                const std::vector<std::byte>& fill);

// States or their derivatives: zeros for null, and nothing is written there.
std::vector<double> states_at(const Problem& problem, const void* states);
void write_states(const Problem& problem, const std::vector<double>& from, void* states);

std::vector<double> weights_at(const Problem& problem, const void* weights);

// Leaves in the workspace what nobody can use.
void spoil(void* work, std::size_t bytes);

}  // namespace vgpu::cudnn

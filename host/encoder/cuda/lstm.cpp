// SPDX-License-Identifier: Apache-2.0
//
// LSTM by cuDNN, which reads and writes [B, T, width] in any of our storage types. Parameters and their gradients are
// fp32; parameters are rounded for cuDNN. cuDNN does not support empty sequences and does not specify what it reads in
// padding. So it gets copies in which padding is zero, and an empty sequence becomes one position of zeros. The result
// of that position is kept in the reserve space only, because the backward pass needs y as the forward pass wrote it.
#include "encoder/cuda/lstm.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/dtype.h"
#include "cuda/check.h"
#include "cuda/storage.h"
#include "encoder/base/handle.h"
#include "encoder/cuda/layers.h"
#include "encoder/cuda/weight_space.h"

namespace attn::internal::cuda {
namespace {

int narrow(const char* name, std::int64_t size) {
  if (size > std::numeric_limits<int>::max())
    throw Failure(ATTN_UNSUPPORTED,
                  std::string("desc.") + name + ": expected less than 2^31, got " + std::to_string(size));
  return static_cast<int>(size);
}

class CudaLstm final : public Lstm {
 public:
  CudaLstm(attn_handle_t handle, Vendor& vendor, const attn_lstm_desc_t& desc)
      : handle_(handle),
        vendor_(vendor),
        dtype_(desc.dtype),
        B_(desc.B),
        T_(desc.T),
        E_(desc.E),
        H_(desc.H),
        directions_(desc.directions),
        mode_(desc.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE) {
    if (empty()) return;
    const int E = narrow("E", E_), H = narrow("H", H_);
    const cudnnHandle_t cudnn = vendor.cudnn.get();
    check(cudnnSetDropoutDescriptor(dropout_.get(), cudnn, 0, nullptr, 0, 0), "cudnnSetDropoutDescriptor");
    check(cudnnSetRNNDescriptor_v8(rnn_.get(), CUDNN_RNN_ALGO_STANDARD, CUDNN_LSTM, CUDNN_RNN_SINGLE_INP_BIAS,
                                   directions_ == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
                                   data_type(dtype_), CUDNN_DATA_FLOAT,
                                   dtype_ == ATTN_DTYPE_FP32 && !vendor.tf32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH, E,
                                   H, H, 1, dropout_.get(), CUDNN_RNN_PADDED_IO_ENABLED),
          "cudnnSetRNNDescriptor_v8");
    weights_ = WeightSpace(cudnn, rnn_.get(), dtype_, directions_, E_, H_);
    const int state[] = {directions_, narrow("B", B_), H}, strides[] = {state[1] * H, H, 1};
    check(cudnnSetTensorNdDescriptor(state_.get(), data_type(dtype_), 3, state, strides), "cudnnSetTensorNdDescriptor");
    at_least_one_.resize(static_cast<std::size_t>(B_));
    set_lengths(nullptr);
    check(cudnnGetRNNTempSpaceSizes(cudnn, rnn_.get(), mode_, x_.get(), &temporary_bytes_, &kept_bytes_),
          "cudnnGetRNNTempSpaceSizes");
  }

  std::size_t reserve_bytes() const override {
    return mode_ == CUDNN_FWD_MODE_TRAINING && !empty() ? bytes_of(Reserve(*this)) : 0;
  }
  std::size_t workspace_bytes(attn_pass_t pass) const override {
    if (empty()) return 0;
    return pass == ATTN_PASS_FORWARD ? bytes_of(ForwardWorkspace(*this)) : bytes_of(BackwardWorkspace(*this));
  }

  void forward(const attn_lstm_forward_args_t& args, void* workspace) override {
    if (empty()) return;
    const ForwardWorkspace place(*this);
    const Run run = begin(args.lengths, workspace, place.lengths);
    const bool training = mode_ == CUDNN_FWD_MODE_TRAINING;
    void* const weights =
        training ? at_offset(args.reserve, Reserve(*this).weights) : at_offset(workspace, place.weights);
    weights_.pack({args.kernel, args.recurrent, args.bias}, weights, run.stream);
    const void* const x = without_padding(run, args.x, E_, at_offset(workspace, place.x));
    void* const y =
        run.has_empty ? at_offset(training ? args.reserve : workspace, training ? Reserve(*this).y : place.y) : args.y;
    check(cudnnRNNForward(run.cudnn, rnn_.get(), mode_, nullptr, x_.get(), x, y_.get(), y, state_.get(), nullptr,
                          nullptr, state_.get(), nullptr, nullptr, weights_.bytes(), weights, temporary_bytes_,
                          at_offset(workspace, place.temporary), training ? kept_bytes_ : 0,
                          training ? at_offset(args.reserve, Reserve(*this).kept) : nullptr),
          "cudnnRNNForward");
    if (run.has_empty) copy_valid(run, y, directions_ * H_, args.y);
  }

  void backward(const attn_lstm_backward_args_t& args, void* workspace) override {
    const cudaStream_t stream = static_cast<cudaStream_t>(stream_of(handle_));
    if (empty()) {
      for (const auto& [sum, rows] : {std::pair(args.d_kernel, E_), {args.d_recurrent, H_}, {args.d_bias, 1}})
        check(cudaMemsetAsync(sum, 0, static_cast<std::size_t>(directions_ * rows * 4 * H_) * sizeof(float), stream),
              "cudaMemsetAsync");
      return;
    }
    const BackwardWorkspace place(*this);
    const Reserve reserve(*this);
    const Run run = begin(args.lengths, workspace, place.lengths);
    void* const temporary = at_offset(workspace, place.temporary);
    void* const kept = at_offset(args.reserve, reserve.kept);
    void* const d_weights = at_offset(workspace, place.d_weights);
    const void* const x = without_padding(run, args.x, E_, at_offset(workspace, place.x));
    const void* const d_y = without_padding(run, args.d_y, directions_ * H_, at_offset(workspace, place.d_y));
    const void* const y = run.has_empty ? at_offset(args.reserve, reserve.y) : args.y;
    check(cudnnRNNBackwardData_v8(run.cudnn, rnn_.get(), nullptr, y_.get(), y, d_y, x_.get(), args.d_x, state_.get(),
                                  nullptr, nullptr, nullptr, state_.get(), nullptr, nullptr, nullptr, weights_.bytes(),
                                  at_offset(args.reserve, reserve.weights), temporary_bytes_, temporary, kept_bytes_,
                                  kept),
          "cudnnRNNBackwardData_v8");
    check(cudaMemsetAsync(d_weights, 0, weights_.bytes(), run.stream), "cudaMemsetAsync");
    check(cudnnRNNBackwardWeights_v8(run.cudnn, rnn_.get(), CUDNN_WGRAD_MODE_ADD, nullptr, x_.get(), x, state_.get(),
                                     nullptr, y_.get(), y, weights_.bytes(), d_weights, temporary_bytes_, temporary,
                                     kept_bytes_, kept),
          "cudnnRNNBackwardWeights_v8");
    weights_.unpack(d_weights, {args.d_kernel, args.d_recurrent, args.d_bias}, run.stream);
    if (run.lengths != nullptr) copy_valid(run, args.d_x, E_, args.d_x);
  }

 private:
  using Index = std::int64_t;

  // Layouts, as offsets in bytes.
  struct Places : Layout {
    explicit Places(const CudaLstm& lstm) : of(lstm) {}
    Index add_rows(std::int64_t width) {
      return Layout::add_rows(of.B_ * of.T_, width, static_cast<Index>(element_bytes(of.dtype_)));
    }
    Index take_bytes(std::size_t bytes) { return add(static_cast<Index>(bytes), 1); }
    const CudaLstm& of;
  };
  struct Reserve : Places {
    explicit Reserve(const CudaLstm& lstm) : Places(lstm) {}
    Index weights = take_bytes(of.weights_.bytes()), kept = take_bytes(of.kept_bytes_),
          y = add_rows(of.directions_ * of.H_);
  };
  struct ForwardWorkspace : Places {
    explicit ForwardWorkspace(const CudaLstm& lstm) : Places(lstm) {}
    Index lengths = add(of.B_), x = add_rows(of.E_), y = add_rows(of.directions_ * of.H_),
          weights = take_bytes(of.weights_.bytes()), temporary = take_bytes(of.temporary_bytes_);
  };
  struct BackwardWorkspace : Places {
    explicit BackwardWorkspace(const CudaLstm& lstm) : Places(lstm) {}
    Index lengths = add(of.B_), x = add_rows(of.E_), d_y = add_rows(of.directions_ * of.H_),
          d_weights = take_bytes(of.weights_.bytes()), temporary = take_bytes(of.temporary_bytes_);
  };
  static std::size_t bytes_of(const Layout& layout) { return static_cast<std::size_t>(layout.bytes()); }

  struct Run {
    cudnnHandle_t cudnn;
    cudaStream_t stream;
    const std::int32_t* lengths;  // [B] on the device; null: no padding
    bool has_empty;               // whether any length is zero
  };

  bool empty() const { return B_ == 0 || T_ == 0; }

  // lengths [B] in host memory, or null. cuDNN reads them on the host; a graph into which the call is captured keeps
  // them.
  Run begin(const std::int32_t* lengths, void* workspace, Index place) {
    Run run{vendor_.cudnn.get(), static_cast<cudaStream_t>(stream_of(handle_)), nullptr, false};
    check(cudnnSetStream(run.cudnn, run.stream), "cudnnSetStream");
    set_lengths(lengths);
    if (lengths == nullptr || std::all_of(lengths, lengths + B_, [&](std::int32_t n) { return n == T_; })) return run;
    auto* const copy = at_offset<std::int32_t>(workspace, place);
    copy_lengths_to_device(B_, lengths, copy, run.stream);
    run.lengths = copy;
    run.has_empty = std::find(lengths, lengths + B_, 0) != lengths + B_;
    return run;
  }

  void set_lengths(const std::int32_t* lengths) {
    if (lengths == nullptr)
      std::fill(at_least_one_.begin(), at_least_one_.end(), narrow("T", T_));
    else
      std::transform(lengths, lengths + B_, at_least_one_.begin(), [](int n) { return std::max(n, 1); });
    float fill = 0;  // zero has the same bits in all types
    const auto set = [&](const RnnDataDescriptor& descriptor, std::int64_t width) {
      check(
          cudnnSetRNNDataDescriptor(descriptor.get(), data_type(dtype_), CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED,
                                    narrow("T", T_), narrow("B", B_), narrow("H", width), at_least_one_.data(), &fill),
          "cudnnSetRNNDataDescriptor");
    };
    set(x_, E_);
    set(y_, directions_ * H_);
  }

  // tensor [B, T, width] itself, or if there is padding a copy in which it is zero.
  const void* without_padding(const Run& run, const void* tensor, std::int64_t width, void* copy) const {
    if (run.lengths == nullptr) return tensor;
    copy_valid(run, tensor, width, copy);
    return copy;
  }

  void copy_valid(const Run& run, const void* from, std::int64_t width, void* to) const {
    with_storage(dtype_, [&](auto storage) {
      using Storage = decltype(storage);
      check(kernels::launch_copy_rows<Storage>({B_, T_, width, in<Storage>(from), false, run.lengths, out<Storage>(to)},
                                               run.stream),
            "copy_rows");
    });
  }

  const attn_handle_t handle_;
  Vendor& vendor_;
  const attn_dtype_t dtype_;
  const std::int64_t B_, T_, E_, H_;
  const int directions_;
  const cudnnForwardMode_t mode_;
  DropoutDescriptor dropout_;
  RnnDescriptor rnn_;
  RnnDataDescriptor x_, y_;
  TensorDescriptor state_;         // of h and c: [directions, B, H], initially and finally zero
  std::vector<int> at_least_one_;  // [B], the lengths for cuDNN, which rejects zero
  WeightSpace weights_;
  std::size_t temporary_bytes_ = 0, kept_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Lstm> make_cuda_lstm(attn_handle_t handle, Vendor& vendor, const attn_lstm_desc_t& desc) {
  return std::make_unique<CudaLstm>(handle, vendor, desc);
}

}  // namespace attn::internal::cuda

// SPDX-License-Identifier: Apache-2.0
//
// LSTM on oneDNN's LSTM of one direction. The batch is divided into sub-batches of equal size, and a task is one direction
// of one sub-batch. It works on a time-major copy, in direction 1 with each valid prefix reversed, so that both directions
// and all lengths are the same LSTM over the same shape. In padding, the copies of x and of the gradient of y are zero:
// padding is not read and adds nothing to gradients. All of this is fp32; 16-bit activations are copied to fp32.
#include "encoder/cpu/lstm.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>

#include "base/fp32_copies.h"
#include "base/parallel.h"
#include "encoder/cpu/one_direction.h"
#include "encoder/cpu/sequences.h"

namespace attn::internal::cpu {
namespace {

// With fewer items the matrix products of a time step are too small to be worth another thread.
constexpr std::int64_t kLeastSubBatch = 8;

// oneDNN counts the elements of its internal tensors in 32 bits and does not detect an overflow. The bound comes from
// the widest of them, a padded row of gates or of four states per position.
std::int64_t most_items(const attn_lstm_desc_t& desc) {
  constexpr std::int64_t kCountable = std::numeric_limits<std::int32_t>::max();
  const std::int64_t item = (desc.T + 1) * 4 * (std::max(desc.E, desc.H) + 32);
  if (item > kCountable)
    throw Failure(ATTN_UNSUPPORTED,
                  "desc: expected (T + 1) 4 (max(E, H) + 32) below 2^31, got " + std::to_string(item));
  return kCountable / item;
}

// As many sub-batches as threads, or half as many if two directions share the threads evenly.
std::int64_t sub_batch_size(const attn_lstm_desc_t& desc, int threads) {
  const std::int64_t sub_batches = threads == 1 ? 1 : desc.directions == 2 && threads % 2 == 0 ? threads / 2 : threads;
  const std::int64_t items = std::max((desc.B + sub_batches - 1) / sub_batches, std::min(desc.B, kLeastSubBatch));
  return std::min(items, most_items(desc));
}

float* data(const dnnl::memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

void fill_zero(const dnnl::memory& memory) { std::memset(data(memory), 0, memory.get_desc().get_size()); }

class CpuLstm final : public Lstm {
 public:
  CpuLstm(const attn_lstm_desc_t& desc, int threads)
      : dtype_(desc.dtype),
        B_(desc.B),
        T_(desc.T),
        E_(desc.E),
        H_(desc.H),
        threads_(threads),
        directions_(static_cast<std::size_t>(desc.directions)) {
    if (B_ == 0 || T_ == 0) return;
    n_ = sub_batch_size(desc, threads);
    const SingleThreaded as_in_tasks;  // oneDNN optimises primitives for the current thread count
    lstm_.emplace(engine_, DirectionShape{T_, n_, E_, H_}, desc.training != 0);
    for (Direction& direction : directions_) {
      direction.forward_weights = lstm_->forward_weights(forward_memory_);
      if (desc.training) direction.backward_weights = lstm_->backward_weights(backward_memory_);
      for (std::int64_t first = 0; first < B_; first += n_)
        direction.sub_batches.push_back(
            lstm_->tensors(desc.training ? reserve_ : forward_memory_, forward_memory_, backward_memory_));
    }
  }

  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  std::size_t workspace_bytes(attn_pass_t pass) const override {
    Fp32Copies copies = copies_in(nullptr, nullptr);
    if (pass == ATTN_PASS_FORWARD) {
      with_fp32_copies(attn_lstm_forward_args_t{}, copies);
      return copies.bytes() + forward_memory_.bytes();
    }
    with_fp32_copies(attn_lstm_backward_args_t{}, copies);
    return copies.bytes() + backward_memory_.bytes();
  }

  void forward(const attn_lstm_forward_args_t& args, void* workspace) override {
    if (!lstm_) return;
    Fp32Copies copies = copies_in(workspace, args.lengths);
    const attn_lstm_forward_args_t in_fp32 = with_fp32_copies(args, copies);
    with_onednn([&] { forward_sub_batches(in_fp32, copies.remaining_workspace()); });
    copies.round_outputs();
  }

  void backward(const attn_lstm_backward_args_t& args, void* workspace) override {
    if (lstm_) {
      Fp32Copies copies = copies_in(workspace, args.lengths);
      const attn_lstm_backward_args_t in_fp32 = with_fp32_copies(args, copies);
      with_onednn([&] { backward_sub_batches(in_fp32, copies.remaining_workspace()); });
      copies.round_outputs();
    }
    parallel_for(threads_, count(), [&](std::int64_t d) {
      sum_sub_batches(d, &DirectionTensors::d_kernel, E_ * 4 * H_, args.d_kernel);
      sum_sub_batches(d, &DirectionTensors::d_recurrent, H_ * 4 * H_, args.d_recurrent);
      sum_sub_batches(d, &DirectionTensors::d_bias, 4 * H_, args.d_bias);
    });
  }

 private:
  struct Direction {
    DirectionWeights forward_weights, backward_weights;
    std::vector<DirectionTensors> sub_batches;
  };

  Fp32Copies copies_in(void* workspace, const std::int32_t* lengths) const {
    return Fp32Copies(dtype_, B_, {T_, lengths, nullptr}, workspace, threads_);
  }

  // The same call on fp32 copies. The backward pass reads y from the reserve space.
  attn_lstm_forward_args_t with_fp32_copies(attn_lstm_forward_args_t args, Fp32Copies& copies) const {
    args.x = copies.key_input(args.x, E_);
    args.y = copies.output(args.y, B_ * T_ * count() * H_);
    return args;
  }
  attn_lstm_backward_args_t with_fp32_copies(attn_lstm_backward_args_t args, Fp32Copies& copies) const {
    args.d_y = copies.key_input(args.d_y, count() * H_);
    args.d_x = copies.output(args.d_x, B_ * T_ * E_);
    return args;
  }

  void forward_sub_batches(const attn_lstm_forward_args_t& args, void* workspace) {
    const Sequences sequences{B_, T_, args.lengths};
    reserve_.bind(args.reserve);
    forward_memory_.bind(workspace);
    set_weights(&Direction::forward_weights, args);
    for_each_sub_batch([&](std::int64_t d, std::int64_t first, const DirectionTensors& sub_batch) {
      gather(sequences, d, first, n_, static_cast<const float*>(args.x), E_, E_, data(sub_batch.x));
      fill_zero(sub_batch.state);
      lstm_->forward(directions_[d].forward_weights, sub_batch);
      scatter(sequences, d, first, n_, data(sub_batch.y), count() * H_, H_, static_cast<float*>(args.y) + d * H_);
    });
  }

  void backward_sub_batches(const attn_lstm_backward_args_t& args, void* workspace) {
    const Sequences sequences{B_, T_, args.lengths};
    reserve_.bind(args.reserve);
    backward_memory_.bind(workspace);
    set_weights(&Direction::backward_weights, args);
    for_each_sub_batch([&](std::int64_t d, std::int64_t first, const DirectionTensors& sub_batch) {
      gather(sequences, d, first, n_, static_cast<const float*>(args.d_y) + d * H_, count() * H_, H_,
             data(sub_batch.d_y));
      // oneDNN adds to the gradients of the weights.
      for (const dnnl::memory& sum : {sub_batch.d_kernel, sub_batch.d_recurrent, sub_batch.d_bias}) fill_zero(sum);
      lstm_->backward(directions_[d].backward_weights, sub_batch);
    });
    parallel_for(threads_, B_, [&](std::int64_t b) {
      const auto d_x = [&](std::size_t d) {
        return d < directions_.size() ? data(directions_[d].sub_batches[b / n_].d_x) : nullptr;
      };
      scatter_sum(sequences, b, b % n_, n_, d_x(0), d_x(1), E_, static_cast<float*>(args.d_x));
    });
  }

  std::int64_t count() const { return static_cast<std::int64_t>(directions_.size()); }

  // The weights of the directions follow one another.
  template <class Args>
  void set_weights(DirectionWeights Direction::*weights, const Args& args) {
    parallel_for(threads_, count(), [&](std::int64_t d) {
      (directions_[d].*weights)
          .set(args.kernel + d * E_ * 4 * H_, args.recurrent + d * H_ * 4 * H_, args.bias + d * 4 * H_);
    });
  }

  template <class Body>
  void for_each_sub_batch(const Body& body) const {
    const auto sub_batches = static_cast<std::int64_t>(directions_[0].sub_batches.size());
    parallel_for(threads_, count() * sub_batches, [&](std::int64_t task) {
      const std::int64_t d = task / sub_batches, c = task % sub_batches;
      body(d, c * n_, directions_[d].sub_batches[c]);
    });
  }

  // sums [directions, size]: the sum over the sub-batches of direction d, always in the same order.
  void sum_sub_batches(std::int64_t d, dnnl::memory DirectionTensors::*part, std::int64_t size, float* sums) const {
    float* sum = sums + d * size;
    std::fill_n(sum, size, 0.0f);
    for (const DirectionTensors& sub_batch : directions_[d].sub_batches)
      std::transform(sum, sum + size, data(sub_batch.*part), sum, std::plus<>());
  }

  const attn_dtype_t dtype_;
  const std::int64_t B_, T_, E_, H_;
  const int threads_;
  std::int64_t n_ = 0;  // items per sub-batch
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  BoundMemory reserve_{engine_}, forward_memory_{engine_}, backward_memory_{engine_};
  std::optional<OneDirection> lstm_;  // empty for an empty batch
  std::vector<Direction> directions_;
};

}  // namespace

std::unique_ptr<Lstm> make_cpu_lstm(const attn_lstm_desc_t& desc, int threads) {
  return with_onednn([&] { return std::make_unique<CpuLstm>(desc, threads); });
}

}  // namespace attn::internal::cpu

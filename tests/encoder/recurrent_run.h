// SPDX-License-Identifier: Apache-2.0
//
// A recurrent attention encoder with parameters, inputs and output gradients, and the results of the library.
#pragma once

#include "encoder/encoder_runs.h"
#include "encoder/recurrent_reference.h"
#include "support/random.h"

namespace attn::test {

struct RecurrentCase {
  RecurrentInput input;
  std::vector<float> x, d_o, d_weights;  // fp32, NaN at or beyond the lengths

  RecurrentCase(const attn_recurrent_desc_t& desc, const std::vector<std::int32_t>& lengths, std::uint64_t seed = 1);
};

// The case with the values that a run computes with: activations rounded to their type, and parameters too if the
// backend rounds them. The parameters of pooling are rounded on every backend, those of a shared query on none.
inline RecurrentCase stored(RecurrentCase given, const Target& target) {
  given.input.desc.dtype = target.dtype;
  given.input.x = rounded(target.dtype, given.input.x);
  for (std::vector<float>* gradient : {&given.d_o, &given.d_weights})
    *gradient = narrow(rounded(target.dtype, widen(*gradient)));
  const bool pooling = given.input.desc.attention == ATTN_ATTENTION_POOLING;
  for (auto& [name, values] : given.input.parameters)
    if (pooling && name.rfind("attention.", 0) == 0)
      values = rounded(target.dtype, values);
    else if (name != "attention.h" && name != "attention.w_q")
      values = rounded(inside(target), values);
  return given;
}

struct RecurrentResult {
  std::vector<float> o, weights, d_x;
  std::map<std::string, std::vector<float>> d_parameters;
  bool gaps_are_zero = true;  // the gaps between the parameters in the gradient's block
};

// A plan that any number of runs can use. Every byte outside the documented sizes is guarded; every byte inside starts
// as NaN.
class RecurrentRun {
 public:
  RecurrentRun(const RunOptions& options, const attn_recurrent_desc_t& desc)
      : options_(options), handle_(make_handle(options)), desc_(desc) {
    desc_.dtype = options.dtype;
    check(attn_recurrent_create(handle_.get(), &desc_, &plan_));
    std::int32_t count = 0;
    check(attn_recurrent_block_size(plan_, &block_));
    check(attn_recurrent_parameter_count(plan_, &count));
    parameters_.resize(static_cast<std::size_t>(count));
    for (std::int32_t i = 0; i < count; ++i)
      check(attn_recurrent_parameter(plan_, i, &parameters_[static_cast<std::size_t>(i)]));
  }
  ~RecurrentRun() { attn_recurrent_destroy(plan_); }
  RecurrentRun(const RecurrentRun&) = delete;
  RecurrentRun& operator=(const RecurrentRun&) = delete;

  const std::vector<attn_parameter_t>& parameters() const { return parameters_; }
  static std::int64_t size(const attn_parameter_t& parameter) {
    std::int64_t size = 1;
    for (std::int32_t i = 0; i < parameter.rank; ++i) size *= parameter.shape[i];
    return size;
  }

  // Runs the forward pass, and the backward pass if the plan is for training.
  RecurrentResult operator()(const RecurrentCase& given) {
    Tensors tensors(handle_, options_);
    std::vector<float> block(static_cast<std::size_t>(block_), kNan);
    for (const attn_parameter_t& parameter : parameters_) {
      const std::vector<float> values = narrow(given.input.parameters.at(parameter.name));
      std::copy(values.begin(), values.end(), block.begin() + parameter.offset);
    }
    const bool pooling = desc_.attention == ATTN_ATTENTION_POOLING;
    const std::int64_t queries = pooling ? 1 : desc_.Q, D = desc_.directions * desc_.H;
    const attn_dtype_t dtype = options_.dtype;
    const void* const x = tensors.in(given.x, dtype);
    const float* const parameters = tensors.in(block);
    const std::int32_t* lengths = given.input.lengths.empty() ? nullptr : given.input.lengths.data();
    std::size_t bytes = 0;
    check(attn_recurrent_reserve_size(plan_, &bytes));
    void* const reserve = desc_.training ? tensors.workspace(bytes) : nullptr;
    void *o = tensors.out(desc_.B * queries * D, dtype), *weights = tensors.out(desc_.B * queries * desc_.T, dtype);
    const attn_recurrent_forward_args_t args{sizeof args,      x, parameters, lengths,
                                             given.input.seed, o, weights,    reserve};
    check(attn_recurrent_workspace_size(plan_, ATTN_PASS_FORWARD, &bytes));
    check(attn_recurrent_forward(plan_, &args, tensors.workspace(bytes), bytes));
    RecurrentResult result;
    if (desc_.training) {
      void* const d_x = tensors.out(desc_.B * desc_.T * desc_.E, dtype);
      float* const gradient = tensors.out(block_);
      const attn_recurrent_backward_args_t back{sizeof back,
                                                x,
                                                parameters,
                                                lengths,
                                                given.input.seed,
                                                reserve,
                                                tensors.in(given.d_o, dtype),
                                                tensors.in(given.d_weights, dtype),
                                                d_x,
                                                gradient};
      check(attn_recurrent_workspace_size(plan_, ATTN_PASS_BACKWARD, &bytes));
      check(attn_recurrent_backward(plan_, &back, tensors.workspace(bytes), bytes));
      result.d_x = tensors.values(d_x);
      std::vector<float> d_block = tensors.values(gradient);
      for (const attn_parameter_t& parameter : parameters_) {
        const auto first = d_block.begin() + parameter.offset, end = first + size(parameter);
        result.d_parameters[parameter.name] = std::vector<float>(first, end);
        std::fill(first, end, 0.0f);
      }
      result.gaps_are_zero = std::all_of(d_block.begin(), d_block.end(), [](float value) { return value == 0; });
    }
    result.o = tensors.values(o);
    result.weights = tensors.values(weights);
    tensors.expect_intact();
    return result;
  }

 private:
  RunOptions options_;
  Handle handle_;
  attn_recurrent_desc_t desc_;
  attn_recurrent_t plan_ = nullptr;
  std::int64_t block_ = 0;
  std::vector<attn_parameter_t> parameters_;
};

inline RecurrentCase::RecurrentCase(const attn_recurrent_desc_t& desc, const std::vector<std::int32_t>& lengths,
                                    std::uint64_t seed) {
  Random random(seed);
  const std::int64_t queries = desc.attention == ATTN_ATTENTION_POOLING ? 1 : desc.Q;
  x = random.normal(desc.B * desc.T * desc.E);
  fill_padding(x, desc.T, desc.E, lengths);
  d_o = random.normal(desc.B * queries * desc.directions * desc.H);
  d_weights = random.normal(desc.B * queries * desc.T);
  for (std::int64_t b = 0; b < desc.B && !lengths.empty(); ++b)
    for (std::int64_t row = b * queries; row < (b + 1) * queries; ++row)
      std::fill(d_weights.begin() + row * desc.T + lengths[static_cast<std::size_t>(b)],
                d_weights.begin() + (row + 1) * desc.T, kNan);
  input = {desc, widen(x), {}, lengths, 77};
  const RecurrentRun plan({}, desc);
  for (const attn_parameter_t& parameter : plan.parameters()) {
    std::vector<float> values = random.normal(RecurrentRun::size(parameter));
    for (float& value : values) value *= 0.3f;
    input.parameters[parameter.name] = widen(values);
  }
}

}  // namespace attn::test

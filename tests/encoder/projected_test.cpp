// SPDX-License-Identifier: Apache-2.0
//
// Projected additive attention against the reference.
#include "attn_cuda/encoder.hpp"
#include "encoder/encoder_runs.h"
#include "support/attention_run.h"
#include "support/inputs.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

struct Case {
  reference::ProjectedInput input;
  std::vector<float> d_o;        // [B, Q, D]
  std::vector<float> d_weights;  // [B, Q, T]

  Case(const ProjectedShape& s, bool with_lengths) {
    Random random(1);
    input = random_input(s, with_lengths ? random.lengths(s.B, s.T) : std::vector<std::int32_t>(), random);
    d_o = random.normal(s.B * s.Q * s.D);
    d_weights = random.normal(s.B * s.Q * s.T);
  }
};

struct Result {
  std::vector<float> o, weights, d_x, d_h, d_w_q, d_w_k, d_b, d_v;

  const std::vector<float>& gradient(int index) const {
    const std::vector<float>* const all[] = {&d_x, &d_h, &d_w_q, &d_w_k, &d_b, &d_v};
    return *all[index];
  }
};

Result run(const Case& given, const RunOptions& options, std::int32_t tf32 = 0) {
  const reference::ProjectedInput& in = given.input;
  const Handle handle = make_handle(options);
  if (tf32 != 0) check(attn_set_tf32(handle.get(), tf32));
  const attn_projected_desc_t desc = {sizeof desc, ATTN_DTYPE_FP32, in.B, in.Q, in.T, in.A, in.D,
                                      in.H,        in.shared_query};
  Tensors tensors(handle, options);
  const auto workspace = [&](attn_pass_t pass, std::size_t* bytes) {
    check(attn_projected_workspace_size(handle.get(), &desc, pass, bytes));
    return tensors.workspace(*bytes);
  };
  const float *x = tensors.in(narrow(in.x)), *h = tensors.in(narrow(in.h)), *w_q = tensors.in(narrow(in.w_q)),
              *w_k = tensors.in(narrow(in.w_k)), *b = in.b.empty() ? nullptr : tensors.in(narrow(in.b)),
              *v = tensors.in(narrow(in.v));
  const std::int32_t* const lengths = tensors.lengths(in.lengths);
  float* const weights = options.weights ? tensors.out(in.B * in.Q * in.T) : nullptr;
  std::size_t bytes = 0;
  check(attn_projected_reserve_size(handle.get(), &desc, &bytes));
  void* const reserve = tensors.workspace(bytes);

  const attn_projected_forward_args_t args = {
      sizeof args, x, h, w_q, w_k, b, v, lengths, tensors.out(in.B * in.Q * in.D), weights, reserve};
  void* memory = workspace(ATTN_PASS_FORWARD, &bytes);
  check(attn_projected_forward(handle.get(), &desc, &args, memory, bytes));

  const auto wanted = [&](int index, std::size_t size) {
    return index == options.skipped ? nullptr : tensors.out(static_cast<std::int64_t>(size));
  };
  const attn_projected_backward_args_t back = {sizeof back,
                                               x,
                                               h,
                                               w_q,
                                               w_k,
                                               b,
                                               v,
                                               lengths,
                                               reserve,
                                               weights,
                                               tensors.in(given.d_o),
                                               options.d_weights ? tensors.in(given.d_weights) : nullptr,
                                               wanted(0, in.x.size()),
                                               wanted(1, in.h.size()),
                                               wanted(2, in.w_q.size()),
                                               wanted(3, in.w_k.size()),
                                               wanted(4, in.b.size()),
                                               wanted(5, in.v.size())};
  memory = workspace(ATTN_PASS_BACKWARD, &bytes);
  check(attn_projected_backward(handle.get(), &desc, &back, memory, bytes));
  tensors.expect_intact();
  const auto values = [&](const void* tensor) { return tensors.values(static_cast<const float*>(tensor)); };
  return {values(args.o),     values(weights),    values(back.d_x), values(back.d_h),
          values(back.d_w_q), values(back.d_w_k), values(back.d_b), values(back.d_v)};
}

void expect_parity(const Case& given, const RunOptions& options) {
  const reference::ProjectedInput& in = given.input;
  const Result got = run(given, options);
  const reference::AdditiveOutput expected = reference::projected_forward(in);
  EXPECT_TRUE(close(Operation::projected_forward, got.o, expected.o, {in.B, in.Q, in.D}));
  if (options.weights) {
    EXPECT_TRUE(close(Operation::projected_forward, got.weights, expected.weights, {in.B, in.Q, in.T}));
  }
  const reference::ProjectedGradient gradient = reference::projected_backward(
      in, widen(given.d_o), options.d_weights ? widen(given.d_weights) : std::vector<double>());
  EXPECT_TRUE(close(Operation::projected_backward, got.d_x, gradient.x, {in.B, in.T, in.D})) << "d_x";
  EXPECT_TRUE(close(Operation::projected_backward, got.d_h, gradient.h, {in.shared_query ? 1 : in.B, in.Q, in.H}))
      << "d_h";
  EXPECT_TRUE(close(Operation::projected_backward, got.d_w_q, gradient.w_q, {in.A, in.H})) << "d_w_q";
  EXPECT_TRUE(close(Operation::projected_backward, got.d_w_k, gradient.w_k, {in.A, in.D})) << "d_w_k";
  EXPECT_TRUE(close(Operation::projected_backward, got.d_b, gradient.b, {in.A})) << "d_b";
  EXPECT_TRUE(close(Operation::projected_backward, got.d_v, gradient.v, {in.A})) << "d_v";
}

void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.o, b.o)) << "o";
  EXPECT_TRUE(same_bits(a.weights, b.weights)) << "weights";
  for (int index = 0; index < 6; ++index) EXPECT_TRUE(same_bits(a.gradient(index), b.gradient(index))) << index;
}

class Projected : public testing::TestWithParam<ProjectedShape> {};

TEST_P(Projected, ForwardAndBackward) {
  for (const bool with_lengths : {false, true})
    for (const bool weights : {false, true}) {
      Case given(GetParam(), with_lengths);
      for (RunOptions options : encoder_runs({2})) {
        SCOPED_TRACE(testing::Message() << "lengths " << with_lengths << ", weights " << weights << ", " << options);
        options.weights = options.d_weights = weights;
        options.misalignment = 3;
        expect_parity(given, options);
      }
    }
}

TEST_P(Projected, SameBitsOnAnyThreadsAndInEachRun) {
  for (const bool with_lengths : {false, true}) {
    const Case given(GetParam(), with_lengths);
    RunOptions options;
    options.threads = 1;
    const Result one = run(given, options);
    for (const int threads : {1, 2, 3, 2}) {
      options.threads = threads;
      SCOPED_TRACE(threads);
      expect_same_bits(run(given, options), one);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Projected, testing::ValuesIn(projected_shapes()), testing::PrintToStringParamName());

TEST(ProjectedOptions, OutputsDoNotDependOnWhichAreWanted) {
  for (const bool shared : {false, true}) {
    const Case given({2, 3, 37, 33, 20, 7, shared}, true);
    RunOptions options;
    const Result all = run(given, options);
    for (options.skipped = 0; options.skipped < 6; ++options.skipped) {
      const Result some = run(given, options);
      for (int index = 0; index < 6; ++index) {
        if (index == options.skipped) continue;
        EXPECT_TRUE(same_bits(some.gradient(index), all.gradient(index))) << options.skipped << " " << index;
      }
    }
  }
}

TEST(ProjectedOptions, PaddingIsNotRead) {
  for (const std::int32_t length : {0, 1, 299, 300}) {
    Case given({2, 2, 300, 33, 20, 7, false}, false);
    given.input.lengths = {300, length};
    std::vector<float> x = narrow(given.input.x);
    fill_padding(x, 300, 20, given.input.lengths);
    given.input.x = widen(x);
    RunOptions fenced;
    fenced.fenced = true;
    expect_same_bits(run(given, fenced), run(given, {}));
  }
}

// Each gradient alone: what the others would have computed on the way must not be needed.
TEST(ProjectedOptions, WrapperGivesOneGradientAtATime) {
  const Case given({2, 3, 37, 33, 20, 7, true}, true);
  const reference::ProjectedInput& in = given.input;
  const Result all = run(given, {});
  Handle handle;
  handle.set_threads(2);
  ProjectedAttention attention(handle, {in.B, in.Q, in.T, in.A, in.D, in.H, in.shared_query});
  const std::vector<float> x = narrow(in.x), h = narrow(in.h), w_q = narrow(in.w_q), w_k = narrow(in.w_k),
                           b = narrow(in.b), v = narrow(in.v);
  std::vector<float> o = given.d_o;
  attention.forward({0, x.data(), h.data(), w_q.data(), w_k.data(), b.data(), v.data(), in.lengths.data(), o.data(),
                     nullptr, nullptr});
  EXPECT_TRUE(same_bits(o, all.o));
  for (int index = 0; index < 6; ++index) {
    std::vector<float> gradient(all.gradient(index).size(), kNan);
    const auto wanted = [&](int of) { return of == index ? gradient.data() : nullptr; };
    attention.backward({0, x.data(), h.data(), w_q.data(), w_k.data(), b.data(), v.data(), in.lengths.data(), nullptr,
                        all.weights.data(), given.d_o.data(), given.d_weights.data(), wanted(0), wanted(1), wanted(2),
                        wanted(3), wanted(4), wanted(5)});
    EXPECT_TRUE(same_bits(gradient, all.gradient(index))) << index;
  }
}

TEST(ProjectedOptions, ForwardWithoutReserve) {
  const Case given({2, 3, 37, 33, 20, 7, false}, true);
  const reference::ProjectedInput& in = given.input;
  const Handle handle;
  const attn_projected_desc_t desc = {sizeof desc, ATTN_DTYPE_FP32, in.B, in.Q, in.T, in.A, in.D, in.H, 0};
  Tensors tensors(handle, {});
  float* const o = tensors.out(in.B * in.Q * in.D);
  const attn_projected_forward_args_t args = {sizeof args,
                                              tensors.in(narrow(in.x)),
                                              tensors.in(narrow(in.h)),
                                              tensors.in(narrow(in.w_q)),
                                              tensors.in(narrow(in.w_k)),
                                              tensors.in(narrow(in.b)),
                                              tensors.in(narrow(in.v)),
                                              in.lengths.data(),
                                              o,
                                              nullptr,
                                              nullptr};
  std::size_t bytes = 0;
  check(attn_projected_workspace_size(handle.get(), &desc, ATTN_PASS_FORWARD, &bytes));
  check(attn_projected_forward(handle.get(), &desc, &args, tensors.workspace(bytes), bytes));
  tensors.expect_intact();
  EXPECT_TRUE(same_bits(tensors.values(o), run(given, {}).o));
}

#ifdef ATTN_WITH_CUDNN
TEST(ProjectedOptions, Tf32IsOffUntilAllowed) {
  const Case given({2, 3, 37, 33, 20, 7, false}, true);
  RunOptions options;
  options.backend = ATTN_BACKEND_CUDA;
  const std::vector<float> full = run(given, options).o, allowed = run(given, options, 1).o;
  EXPECT_TRUE(same_bits(run(given, options).o, full));
  double most = 0;
  for (std::size_t i = 0; i < full.size(); ++i) most = std::max<double>(most, std::abs(full[i] - allowed[i]));
  EXPECT_GT(most, 1e-6) << "nothing was rounded";
  EXPECT_LT(most, 1e-2);
}
#endif

TEST(ProjectedOptions, Tf32IsNotForTheCpu) {
  EXPECT_EQ(attn_set_tf32(Handle().get(), 1), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "handle: expected one of ATTN_BACKEND_CUDA, got one of ATTN_BACKEND_CPU, which has no TF32");
}

}  // namespace
}  // namespace attn::test

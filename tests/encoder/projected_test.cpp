// SPDX-License-Identifier: Apache-2.0
//
// Projected additive attention compared with the reference, in each storage type.
#include "encoder/projected_run.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

void expect_parity(const ProjectedCase& any, const RunOptions& options) {
  const Target target{options.backend, options.dtype};
  const ProjectedCase given = stored(any, target);
  const reference::ProjectedInput& in = given.input;
  const ProjectedResult got = run(any, options);
  const auto near = [&](Operation operation, const std::vector<float>& tensor, const reference::Sum& expected,
                        const std::vector<std::int64_t>& shape, attn_dtype_t dtype) {
    return close(operation, tensor, expected, shape, dtype, inside(target));
  };
  constexpr Operation kForward = Operation::projected_forward, kBackward = Operation::projected_backward;
  const reference::AdditiveOutput expected = reference::projected_forward(in);
  EXPECT_TRUE(near(kForward, got.o, expected.o, {in.B, in.Q, in.D}, target.dtype)) << "o";
  if (options.weights) {
    EXPECT_TRUE(near(kForward, got.weights, expected.weights, {in.B, in.Q, in.T}, target.dtype)) << "weights";
  }
  // With 16-bit storage the weights that the backward pass is given are rounded, and so differ from those of the
  // formula.
  const bool has_rounded = options.weights && target.dtype != ATTN_DTYPE_FP32;
  const reference::ProjectedGradient gradient = reference::projected_backward(
      in, widen(given.d_o), options.d_weights ? widen(given.d_weights) : std::vector<double>(),
      has_rounded ? widen(got.weights) : std::vector<double>());
  const attn_dtype_t of_h = query_dtype(in, target.dtype);
  EXPECT_TRUE(near(kBackward, got.d_x, gradient.x, {in.B, in.T, in.D}, target.dtype)) << "d_x";
  EXPECT_TRUE(near(kBackward, got.d_h, gradient.h, {in.shared_query ? 1 : in.B, in.Q, in.H}, of_h)) << "d_h";
  EXPECT_TRUE(near(kBackward, got.d_w_q, gradient.w_q, {in.A, in.H}, ATTN_DTYPE_FP32)) << "d_w_q";
  EXPECT_TRUE(near(kBackward, got.d_w_k, gradient.w_k, {in.A, in.D}, ATTN_DTYPE_FP32)) << "d_w_k";
  EXPECT_TRUE(near(kBackward, got.d_b, gradient.b, {in.A}, ATTN_DTYPE_FP32)) << "d_b";
  EXPECT_TRUE(near(kBackward, got.d_v, gradient.v, {in.A}, inside(target))) << "d_v";
}

class Projected : public testing::TestWithParam<std::tuple<Target, ProjectedShape>> {
 protected:
  const ProjectedShape shape = std::get<1>(GetParam());
  RunOptions options = on(std::get<0>(GetParam()));
};

TEST_P(Projected, ForwardAndBackward) {
  for (const bool with_lengths : {false, true})
    for (const bool weights : {false, true}) {
      SCOPED_TRACE(testing::Message() << "lengths " << with_lengths << ", weights " << weights);
      options.weights = options.d_weights = weights;
      options.misalignment = 3;
      expect_parity(ProjectedCase(shape, with_lengths), options);
    }
}

TEST_P(Projected, SameBitsOnAnyThreadsAndInEachRun) {
  for (const bool with_lengths : {false, true})
    expect_same_bits_on_any_threads(ProjectedCase(shape, with_lengths), options);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Projected,
                         testing::Combine(testing::ValuesIn(encoder_targets(kAnyStorage)),
                                          testing::ValuesIn(projected_shapes())),
                         shape_name<ProjectedShape>);

class ProjectedOn : public testing::TestWithParam<Target> {
 protected:
  const RunOptions options = on(GetParam());
};

TEST_P(ProjectedOn, NoBias) {
  for (const bool shared : {false, true}) {
    ProjectedCase given({2, 3, 37, 33, 20, 7, shared}, true);
    given.input.b.clear();
    expect_parity(given, options);
  }
}

// If the backend rounds a parameter itself, rounding it in advance makes no difference.
TEST_P(ProjectedOn, WorksWithTheNumbersThatTheReferenceGets) {
  for (const bool shared : {false, true}) {
    const ProjectedCase given({2, 3, 37, 33, 20, 7, shared}, true);
    expect_same_bits(run(given, options), run(stored(given, GetParam()), options));
  }
}

TEST_P(ProjectedOn, OutputsDoNotDependOnWhichAreWanted) {
  for (const bool shared : {false, true}) {
    const ProjectedCase given({2, 3, 37, 33, 20, 7, shared}, true);
    const ProjectedResult all = run(given, options);
    RunOptions without = options;
    for (without.skipped = 0; without.skipped < 6; ++without.skipped) {
      const ProjectedResult some = run(given, without);
      for (int index = 0; index < 6; ++index) {
        if (index == without.skipped) continue;
        EXPECT_TRUE(same_bits(some.gradient(index), all.gradient(index))) << without.skipped << " " << index;
      }
    }
  }
}

// On CUDA the matrix products also read the rows of the padding, which must not affect the results.
TEST_P(ProjectedOn, PaddingDoesNotCountAndIsNotReadOnTheCpu) {
  for (const std::int32_t length : {0, 1, 299, 300}) {
    ProjectedCase given({2, 2, 300, 33, 20, 7, false}, false);
    given.input.lengths = {300, length};
    const ProjectedCase other = given;
    std::vector<float> x = narrow(given.input.x);
    fill_padding(x, 300, 20, given.input.lengths);
    given.input.x = widen(x);
    RunOptions fenced = options;
    fenced.fenced = options.backend == ATTN_BACKEND_CPU;
    expect_same_bits(run(given, fenced), run(other, options));
  }
}

// Each gradient is requested alone; it must not depend on intermediate results of the others.
TEST(ProjectedOptions, WrapperGivesOneGradientAtATime) {
  const ProjectedCase given({2, 3, 37, 33, 20, 7, true}, true);
  const reference::ProjectedInput& in = given.input;
  const ProjectedResult all = run(given, {});
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

TEST_P(ProjectedOn, ForwardWithoutReserve) {
  const ProjectedCase given({2, 3, 37, 33, 20, 7, false}, true);
  const reference::ProjectedInput& in = given.input;
  const attn_dtype_t dtype = options.dtype;
  const Handle handle = make_handle(options);
  const attn_projected_desc_t desc = {sizeof desc, dtype, in.B, in.Q, in.T, in.A, in.D, in.H, 0};
  Tensors tensors(handle, options);
  void* const o = tensors.out(in.B * in.Q * in.D, dtype);
  const attn_projected_forward_args_t args = {sizeof args,
                                              tensors.in(narrow(in.x), dtype),
                                              tensors.in(narrow(in.h), dtype),
                                              tensors.in(narrow(in.w_q)),
                                              tensors.in(narrow(in.w_k)),
                                              tensors.in(narrow(in.b)),
                                              tensors.in(narrow(in.v)),
                                              tensors.lengths(in.lengths),
                                              o,
                                              nullptr,
                                              nullptr};
  std::size_t bytes = 0;
  check(attn_projected_workspace_size(handle.get(), &desc, ATTN_PASS_FORWARD, &bytes));
  check(attn_projected_forward(handle.get(), &desc, &args, tensors.workspace(bytes), bytes));
  tensors.expect_intact();
  EXPECT_TRUE(same_bits(tensors.values(o), run(given, options).o));
}

INSTANTIATE_TEST_SUITE_P(Targets, ProjectedOn, testing::ValuesIn(encoder_targets(kAnyStorage)), target_name);

#ifdef ATTN_WITH_CUDNN
TEST(ProjectedOptions, Tf32IsOffUntilAllowed) {
  const ProjectedCase given({2, 3, 37, 33, 20, 7, false}, true);
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

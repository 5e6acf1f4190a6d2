// SPDX-License-Identifier: Apache-2.0
//
// The LSTM compared with the reference, in each storage type.
#include <array>
#include <cmath>
#include <tuple>

#include "encoder/lstm_run.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

std::vector<LstmShape> shapes() {
  std::vector<LstmShape> all = lstm_shapes();
  // Batches that the CPU backend divides into sub-batches, with and without an incomplete last one.
  all.insert(all.end(), {{32, 11, 16, 8}, {37, 7, 5, 9}, {9, 4, 3, 2}, {17, 1, 1, 1}, {37, 7, 5, 9, 1}});
  return all;
}

// Shapes for 16-bit storage, whose arithmetic is that of fp32: odd and even widths, several sub-batches, long and empty items.
std::vector<LstmShape> narrow_shapes() {
  return {{1, 1, 1, 1},  {2, 3, 31, 33},    {3, 31, 3, 32}, {2, 7, 32, 128}, {3, 129, 5, 7},
          {37, 7, 5, 9}, {3, 33, 5, 31, 1}, {0, 3, 4, 5},   {2, 0, 4, 5},    {0, 2, 3, 4, 1}};
}

class LstmParity : public testing::TestWithParam<std::tuple<Target, LstmShape>> {
 protected:
  const Target target = std::get<0>(GetParam());
  const LstmShape shape = std::get<1>(GetParam());
  // If cuDNN takes the parameters in 16 bits, it also computes their gradients in 16 bits.
  const attn_dtype_t of_parameters = inside(target);
};

TEST_P(LstmParity, ForwardAndBackward) {
  const auto [B, T, E, H, n] = shape;
  for (const bool with_lengths : {false, true}) {
    const LstmCase given(shape, with_lengths), as_stored = stored(given, target);
    const reference::Sum y = reference::lstm_forward(as_stored.input);
    const reference::LstmGradient gradient = reference::lstm_backward(as_stored.input, widen(as_stored.d_y));
    const auto near = [&](Operation operation, const std::vector<float>& got, const reference::Sum& expected,
                          const std::vector<std::int64_t>& dims,
                          attn_dtype_t dtype) { return close(operation, got, expected, dims, dtype, inside(target)); };
    constexpr Operation kForward = Operation::lstm_forward, kBackward = Operation::lstm_backward;
    for (RunOptions options : runs_on(target, {1, 2, 3, 8})) {
      SCOPED_TRACE(testing::Message() << "lengths " << with_lengths << ", " << options);
      options.misalignment = 3;
      const LstmResult got = run(given, options);
      EXPECT_TRUE(near(kForward, got.y, y, {B, T, n, H}, target.dtype)) << "y";
      EXPECT_TRUE(near(kBackward, got.d_x, gradient.x, {B, T, E}, target.dtype)) << "d_x";
      EXPECT_TRUE(near(kBackward, got.d_kernel, gradient.kernel, {n, E, 4, H}, of_parameters)) << "d_kernel";
      EXPECT_TRUE(near(kBackward, got.d_recurrent, gradient.recurrent, {n, H, 4, H}, of_parameters)) << "d_recurrent";
      EXPECT_TRUE(near(kBackward, got.d_bias, gradient.bias, {n, 4, H}, of_parameters)) << "d_bias";
      const LstmResult inference = run(given, options, Training::no);
      EXPECT_TRUE(near(kForward, inference.y, y, {B, T, n, H}, target.dtype)) << "without training";
    }
  }
}

TEST_P(LstmParity, SameBitsInEachRun) {
  for (const bool with_lengths : {false, true}) {
    const LstmCase given(shape, with_lengths);
    for (const RunOptions& options : runs_on(target, {1, 2, 3})) {
      const LstmResult once = run(given, options);
      for (int repeat = 0; repeat < 3; ++repeat) EXPECT_TRUE(same_bits(run(given, options), once)) << options;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LstmParity,
                         testing::Combine(testing::ValuesIn(encoder_targets(kFullStorage)),
                                          testing::ValuesIn(shapes())),
                         shape_name<LstmShape>);
INSTANTIATE_TEST_SUITE_P(NarrowShapes, LstmParity,
                         testing::Combine(testing::ValuesIn(encoder_targets(kHalfStorage)),
                                          testing::ValuesIn(narrow_shapes())),
                         shape_name<LstmShape>);

class LstmOn : public testing::TestWithParam<Target> {
 protected:
  const RunOptions options = on(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Targets, LstmOn, testing::ValuesIn(encoder_targets(kAnyStorage)), target_name);

TEST_P(LstmOn, OutputsBehindALengthAreZero) {
  const LstmShape s = {4, 9, 5, 3};
  LstmCase given(s, true);
  given.input.lengths = {9, 0, 4, 1};
  const LstmResult got = run(given, options);
  for (std::int64_t b = 0; b < s.B; ++b) {
    const std::int64_t length = given.input.lengths[static_cast<std::size_t>(b)];
    for (const float y : slice(got.y, (b * s.T + length) * 2 * s.H, (s.T - length) * 2 * s.H)) EXPECT_EQ(y, 0) << b;
    for (const float d_x : slice(got.d_x, (b * s.T + length) * s.E, (s.T - length) * s.E)) EXPECT_EQ(d_x, 0) << b;
  }
}

TEST_P(LstmOn, PaddingIsNotRead) {
  RunOptions fenced = options;
  fenced.fenced = true;
  for (const std::int32_t length : {0, 1, 30, 31}) {
    LstmCase given({2, 31, 40, 24}, false);
    given.input.lengths = {31, length};
    fill_padding(given.d_y, 31, 2 * 24, given.input.lengths);
    std::vector<float> x = narrow(given.input.x);
    fill_padding(x, 31, 40, given.input.lengths);
    given.input.x = widen(x);
    EXPECT_TRUE(same_bits(run(given, fenced), run(given, options))) << length;
    EXPECT_TRUE(same_bits(run(given, fenced, Training::no), run(given, options, Training::no))) << length;
  }
}

TEST_P(LstmOn, NanInValidDataReachesWhatItTouchesAndNothingElse) {
  const LstmShape s = {3, 6, 4, 5};
  LstmCase given(s, false);
  given.input.x[static_cast<std::size_t>((1 * s.T + 2) * s.E)] = kNan;  // item 1, position 2
  const LstmResult got = run(given, options);
  for (std::int64_t b = 0; b < s.B; ++b)
    for (std::int64_t t = 0; t < s.T; ++t)
      for (std::int64_t d = 0; d < 2; ++d)
        for (const float y : slice(got.y, ((b * s.T + t) * 2 + d) * s.H, s.H))
          EXPECT_EQ(std::isnan(y), b == 1 && (d == 0 ? t >= 2 : t <= 2)) << b << " " << t << " " << d;
  for (const std::int64_t b : {0, 2})
    for (const float d_x : slice(got.d_x, b * s.T * s.E, s.T * s.E)) EXPECT_TRUE(std::isfinite(d_x)) << b;
  for (const float d_bias : got.d_bias) EXPECT_TRUE(std::isnan(d_bias));
}

// Data that an earlier call leaves in the plan must not affect a later one.
TEST_P(LstmOn, APlanServesManyCalls) {
  const LstmShape s = {12, 5, 7, 6};
  const Handle handle = make_handle(options);
  LstmRun plan(handle, s, Training::yes, options.dtype);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const LstmCase given(s, seed % 2 == 0, seed);
    EXPECT_TRUE(same_bits(plan(given, options), run(given, options))) << seed;
  }
}

// Parameters that are already rounded give the same bits if the backend rounds parameters to the type of the
// activations, and different bits if it does not.
TEST_P(LstmOn, RoundsParametersOnTheirWayIn) {
  const LstmCase given({3, 5, 6, 7}, true);
  LstmCase before = given;
  for (auto parameter : {&reference::LstmInput::kernel, &reference::LstmInput::recurrent, &reference::LstmInput::bias})
    before.input.*parameter = rounded(options.dtype, given.input.*parameter);
  EXPECT_EQ(same_bits(run(given, options), run(before, options)), inside(GetParam()) == options.dtype);
}

// Memory sizes grow linearly with the batch even beyond 32 bits. The plan is only created, since a run would take
// hundreds of GB.
TEST(Lstm, SizesOfLargeBatches) {
  Handle handle;
  handle.set_threads(2);
  const auto bytes = [&](std::int64_t B) {
    const attn_lstm_desc_t desc = {sizeof desc, ATTN_DTYPE_FP32, B, 50000, 128, 64, 2, 1};
    attn_lstm_t plan = nullptr;
    check(attn_lstm_create(handle.get(), &desc, &plan));
    std::array<std::size_t, 3> sizes{};
    check(attn_lstm_reserve_size(plan, &sizes[0]));
    check(attn_lstm_workspace_size(plan, ATTN_PASS_FORWARD, &sizes[1]));
    check(attn_lstm_workspace_size(plan, ATTN_PASS_BACKWARD, &sizes[2]));
    check(attn_lstm_destroy(plan));
    return sizes;
  };
  const auto small = bytes(8), large = bytes(800);
  for (std::size_t i = 0; i < small.size(); ++i) EXPECT_GE(large[i], small[i] * 99) << i;
}

TEST(Lstm, WrapperOwnsPlanWorkspaceAndReserve) {
  const LstmCase given({5, 4, 3, 2}, true);
  const reference::LstmInput& in = given.input;
  Handle handle;
  handle.set_threads(2);
  Lstm lstm(handle, {in.B, in.T, in.E, in.H}, Training::yes);
  Lstm without_training(handle, {in.B, in.T, in.E, in.H}, Training::no);
  const std::vector<float> x = narrow(in.x), kernel = narrow(in.kernel), recurrent = narrow(in.recurrent),
                           bias = narrow(in.bias);
  LstmResult got = {given.d_y, x, kernel, recurrent, bias};
  const attn_lstm_forward_args_t args = {0,           x.data(),          kernel.data(), recurrent.data(),
                                         bias.data(), in.lengths.data(), got.y.data(),  nullptr};
  without_training.forward(args);
  EXPECT_TRUE(same_bits(got.y, run(given, {}, Training::no).y));

  lstm.forward(args);
  const attn_lstm_backward_args_t back = {0,
                                          x.data(),
                                          kernel.data(),
                                          recurrent.data(),
                                          bias.data(),
                                          in.lengths.data(),
                                          got.y.data(),
                                          nullptr,
                                          given.d_y.data(),
                                          got.d_x.data(),
                                          got.d_kernel.data(),
                                          got.d_recurrent.data(),
                                          got.d_bias.data()};
  lstm.backward(back);
  EXPECT_TRUE(same_bits(got, run(given, {})));
  EXPECT_THROW(without_training.backward(back), Error);
}

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// Dense, cross-entropy and Adam compared with the reference, and the reproducibility of all layers.
#include "reference/layers.h"

#include <cmath>
#include <utility>

#include "encoder/layer_runs.h"
#include "support/random.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

constexpr std::int64_t kSizes[] = {0, 1, 3, 31, 32, 33, 127, 1000};
constexpr std::int64_t kLarge = 100003;  // elements: several tasks, of which the last one is short

using Layers = LayerTest;

std::vector<double> times(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

// Parameters or first moments after a step, with their terms: the old values and what was added to them.
reference::Sum stepped(const std::vector<double>& value, const std::vector<double>& before,
                       const std::vector<double>& gradient) {
  reference::Sum sum = with_scale(value);
  for (std::size_t i = 0; i < before.size(); ++i) sum.terms[i] += std::fabs(before[i]) + std::fabs(gradient[i]);
  return sum;
}

// The parameters and both moments, before or after a step.
struct AdamTensors {
  std::vector<float> p, m, s;

  explicit AdamTensors(std::int64_t N) {
    Random random(5);
    p = random.normal(N), m = random.normal(N, 0.1f), s = random.uniform(N, 0, 1);
  }
  // The tensors after a step with gradient g. `skip` is null or the value of the flag that attn_adam_desc_t points to.
  AdamTensors after(const Handle& handle, const RunOptions& options, const std::vector<float>& g, std::int64_t step,
                    float scale = 1, const std::int32_t* skip = nullptr) const {
    Tensors tensors(handle, options);
    const attn_adam_desc_t desc = {sizeof desc, 1e-3f, 0.9f,  0.999f,
                                   1e-7f,       step,  scale, skip == nullptr ? nullptr : tensors.lengths({*skip})};
    const float* const g_in = tensors.in(g);
    const auto in_place = [&](const std::vector<float>& values) { return const_cast<float*>(tensors.in(values)); };
    float *p_out = in_place(p), *m_out = in_place(m), *s_out = in_place(s);
    check(attn_adam_step(handle.get(), &desc, static_cast<std::int64_t>(p.size()), g_in, p_out, m_out, s_out));
    tensors.expect_intact();
    AdamTensors result(0);
    result.p = tensors.values(p_out), result.m = tensors.values(m_out), result.s = tensors.values(s_out);
    return result;
  }
};

void expect_same_bits(const AdamTensors& got, const AdamTensors& expected) {
  EXPECT_TRUE(same_bits(got.p, expected.p)) << "p";
  EXPECT_TRUE(same_bits(got.m, expected.m)) << "m";
  EXPECT_TRUE(same_bits(got.s, expected.s)) << "s";
}

// Compares `got` with the reference's step with gradient g.
void expect_step(const AdamTensors& got, const AdamTensors& before, const std::vector<double>& g, std::int64_t step) {
  std::vector<double> p = widen(before.p), m = widen(before.m), s = widen(before.s);
  reference::adam_step({1e-3f, 0.9f, 0.999f, 1e-7f}, step, g, p, m, s);
  const auto N = static_cast<std::int64_t>(g.size());
  EXPECT_TRUE(close(Operation::adam, got.p, stepped(p, widen(before.p), std::vector<double>(g.size())), {N})) << "p";
  EXPECT_TRUE(close(Operation::adam, got.m, stepped(m, widen(before.m), g), {N})) << "m";
  EXPECT_TRUE(close(Operation::adam, got.s, with_scale(s), {N})) << "s";
}

TEST_P(Layers, Dense) {
  for (const std::int64_t B : kSizes)
    for (const std::int64_t D : {1, 3, 31, 128, 1000}) {
      Random random(3);
      const std::vector<float> x = random.normal(B * D), w = random.normal(D), b = random.normal(1),
                               d_z = random.normal(B);
      Tensors tensors(handle, options);
      const float *x_in = tensors.in(x), *w_in = tensors.in(w);
      float *z = tensors.out(B), *d_x = tensors.out(B * D), *d_w = tensors.out(D), *d_b = tensors.out(1);
      check(attn_dense_forward(handle.get(), B, D, x_in, w_in, tensors.in(b), z));
      check(attn_dense_backward(handle.get(), B, D, x_in, w_in, tensors.in(d_z), d_x, d_w, d_b));
      tensors.expect_intact();
      const auto gradient = reference::dense_backward(B, D, widen(x), widen(w), widen(d_z));
      EXPECT_TRUE(
          close(Operation::dense, tensors.values(z), reference::dense_forward(B, D, widen(x), widen(w), b[0]), {B}));
      EXPECT_TRUE(close(Operation::dense, tensors.values(d_x), gradient.x, {B, D}));
      EXPECT_TRUE(close(Operation::dense, tensors.values(d_w), gradient.w, {D}));
      EXPECT_TRUE(close(Operation::dense, tensors.values(d_b), gradient.b, {1}));
    }
}

TEST_P(Layers, CrossEntropy) {
  for (const std::int64_t B : kSizes) {
    Random random(4);
    std::vector<float> z = random.normal(B, 4), y = random.uniform(B, 0, 1);
    // Logits at which exp overflows or vanishes, with both certain labels.
    const std::vector<float> extreme = {0, -0.0f, 100, -100, 1e30f, -1e30f, kNan};
    for (std::size_t i = 0; i < std::min(z.size(), 2 * extreme.size()); ++i) {
      z[i] = extreme[i / 2];
      y[i] = static_cast<float>(i % 2);
    }
    Tensors tensors(handle, options);
    const float *z_in = tensors.in(z), *y_in = tensors.in(y);
    float *losses = tensors.out(B), *d_z = tensors.out(B), *losses_alone = tensors.out(B), *d_z_alone = tensors.out(B);
    check(attn_sigmoid_cross_entropy(handle.get(), B, z_in, y_in, 1, losses, d_z));
    check(attn_sigmoid_cross_entropy(handle.get(), B, z_in, y_in, 1, losses_alone, nullptr));
    check(attn_sigmoid_cross_entropy(handle.get(), B, z_in, y_in, 1, nullptr, d_z_alone));
    tensors.expect_intact();
    const auto expected = reference::sigmoid_cross_entropy(widen(z), widen(y));
    EXPECT_TRUE(close(Operation::cross_entropy, tensors.values(losses), with_scale(expected.losses), {B}));
    EXPECT_TRUE(close(Operation::cross_entropy, tensors.values(d_z),
                      with_scale(expected.d_z, 1 / static_cast<double>(std::max<std::int64_t>(B, 1))), {B}));
    EXPECT_TRUE(same_bits(tensors.values(losses), tensors.values(losses_alone)));
    EXPECT_TRUE(same_bits(tensors.values(d_z), tensors.values(d_z_alone)));
  }
}

// The scale multiplies only the gradient, and exactly if it is a power of two.
TEST_P(Layers, CrossEntropyScalesItsGradient) {
  constexpr std::int64_t kB = 1000;
  Random random(4);
  const std::vector<float> z = random.normal(kB, 4), y = random.uniform(kB, 0, 1);
  Tensors tensors(handle, options);
  const float *z_in = tensors.in(z), *y_in = tensors.in(y);
  const auto run = [&](float scale) {
    float *losses = tensors.out(kB), *d_z = tensors.out(kB);
    check(attn_sigmoid_cross_entropy(handle.get(), kB, z_in, y_in, scale, losses, d_z));
    tensors.expect_intact();
    return std::pair(tensors.values(losses), tensors.values(d_z));
  };
  const auto [losses, d_z] = run(1);
  const std::vector<double> expected = reference::sigmoid_cross_entropy(widen(z), widen(y)).d_z;
  for (const float scale : {65536.0f, 0.125f, 1000.0f, 0.3f}) {
    SCOPED_TRACE(scale);
    const auto [same_losses, scaled] = run(scale);
    EXPECT_TRUE(same_bits(same_losses, losses));
    EXPECT_TRUE(close(Operation::cross_entropy, scaled, with_scale(times(expected, scale), double{scale} / kB), {kB}));
    if (scale == 65536.0f || scale == 0.125f) {
      EXPECT_TRUE(same_bits(scaled, narrow(times(widen(d_z), scale))));
    }
  }
}

TEST_P(Layers, Adam) {
  for (const std::int64_t N : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{33}, kLarge})
    for (const std::int64_t step : {1, 2, 1000}) {
      const AdamTensors before(N);
      const std::vector<float> g = Random(6).normal(N);
      expect_step(before.after(handle, options, g, step), before, widen(g), step);
    }
}

// If the scale is a power of two, the bits are those of a step without it.
TEST_P(Layers, AdamTakesTheScaleOutOfTheGradient) {
  const AdamTensors before(kLarge);
  const std::vector<float> g = Random(6).normal(kLarge);
  const AdamTensors unscaled = before.after(handle, options, g, 3);
  for (const float scale : {65536.0f, 0.125f, 1000.0f, 0.3f}) {
    SCOPED_TRACE(scale);
    const std::vector<float> scaled = narrow(times(widen(g), scale));
    const AdamTensors got = before.after(handle, options, scaled, 3, scale);
    expect_step(got, before, times(widen(scaled), 1 / double{scale}), 3);
    if (scale == 65536.0f || scale == 0.125f) expect_same_bits(got, unscaled);
  }
}

TEST_P(Layers, AdamSkipsWhereItIsTold) {
  const AdamTensors before(kLarge);
  std::vector<float> g = Random(6).normal(kLarge);
  const std::int32_t go_on = 0;
  expect_same_bits(before.after(handle, options, g, 3, 1, &go_on), before.after(handle, options, g, 3));
  g[kLarge / 2] = kNan;
  for (const std::int32_t skip : {1, -1, 1 << 30})
    expect_same_bits(before.after(handle, options, g, 3, 1, &skip), before);
}

// If the gradient has always been zero, only epsilon keeps the quotient finite.
TEST_P(Layers, AdamLeavesParametersWithoutGradient) {
  const std::vector<float> zeros(33), p(33, 0.5f);
  const Buffer<float> g(handle, zeros), p_out(handle, p), m(handle, zeros), s(handle, zeros);
  const attn_adam_desc_t desc = {sizeof desc, 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1, nullptr};
  check(attn_adam_step(handle.get(), &desc, 33, g.data(), p_out.data(), m.data(), s.data()));
  EXPECT_EQ(p_out.download(), p);
  EXPECT_EQ(m.download(), zeros);
  EXPECT_EQ(s.download(), zeros);
}

INSTANTIATE_TEST_SUITE_P(Runs, Layers, testing::ValuesIn(layer_runs()), testing::PrintToStringParamName());

// Every output of every layer, concatenated.
std::vector<float> all_layers(const RunOptions& options) {
  const Handle handle = make_handle(options);
  constexpr std::int64_t kB = 700, kD = 129, kV = 401;
  Random random(6);
  Tensors tensors(handle, options);
  const std::int32_t* const ids = tensors.lengths(random.integers(kB, 0, kV - 1));
  const float *x = tensors.in(random.normal(kB * kD)), *w = tensors.in(random.normal(kD)), *b = tensors.in({0.5f}),
              *y = tensors.in(random.uniform(kB, 0, 1));
  float *z = tensors.out(kB), *losses = tensors.out(kB), *d_z = tensors.out(kB), *d_x = tensors.out(kB * kD),
        *d_w = tensors.out(kD), *d_b = tensors.out(1), *d_table = tensors.out(kV * kD);
  check(attn_dense_forward(handle.get(), kB, kD, x, w, b, z));
  check(attn_sigmoid_cross_entropy(handle.get(), kB, z, y, 1, losses, d_z));
  check(attn_dense_backward(handle.get(), kB, kD, x, w, d_z, d_x, d_w, d_b));
  embedding_backward(handle, tensors, ATTN_DTYPE_FP32, kB, kV, kD, ids, d_x, d_table);
  const std::vector<float> zeros(kV * kD);
  auto *p = const_cast<float*>(tensors.in(std::vector<float>(zeros.size(), 0.1f))),
       *m = const_cast<float*>(tensors.in(zeros)), *s = const_cast<float*>(tensors.in(zeros));
  const attn_adam_desc_t desc = {sizeof desc, 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1, nullptr};
  check(attn_adam_step(handle.get(), &desc, kV * kD, d_table, p, m, s));
  std::vector<float> all;
  for (const float* output : {z, losses, d_z, d_x, d_w, d_b, d_table, p, m, s}) {
    const std::vector<float> values = tensors.values(output);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST(LayerBits, DoNotDependOnThreads) {
  const std::vector<float> one = all_layers(LayerRun{ATTN_BACKEND_CPU, 1}.options());
  for (const int threads : {1, 2, 3, 2})
    EXPECT_TRUE(same_bits(all_layers(LayerRun{ATTN_BACKEND_CPU, threads}.options()), one)) << threads;
}

class LayerRepeats : public testing::TestWithParam<Target> {};

TEST_P(LayerRepeats, GiveTheSameBitsAtAnyAlignment) {
  const LayerRun run{GetParam().backend, 2};
  const std::vector<float> first = all_layers(run.options());
  for (const int misalignment : {0, 5}) EXPECT_TRUE(same_bits(all_layers(run.options(misalignment)), first));
}

INSTANTIATE_TEST_SUITE_P(Targets, LayerRepeats, testing::ValuesIn(targets(kFullStorage)), target_name);

}  // namespace
}  // namespace attn::test

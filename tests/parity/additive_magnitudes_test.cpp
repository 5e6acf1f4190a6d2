// SPDX-License-Identifier: Apache-2.0
//
// The accuracy of additive attention in fp32 for inputs of all magnitudes: the largest error of each result as a multiple
// of the largest error of plain fp32 loops with libm's tanh. The GPU chooses its arithmetic by the magnitude of an
// item's queries and keys (kernels/encoding.h), so the cases include both sides of each boundary.
#include <cmath>
#include <cstdio>
#include <functional>

#include "parity/additive_run.h"

namespace attn::test::additive {
namespace {

struct Magnitude {
  const char* name;
  std::function<void(reference::AdditiveInput*)> apply;
  double most = 2;  // accepted of the forward pass on the GPU
};

void scale(std::vector<double>* values, double factor, double shift = 0) {
  for (double& x : *values) x = static_cast<float>(factor * x + shift);
}

// Uniform in -bound ... bound.
void spread(std::vector<double>* values, double bound) {
  for (double& x : *values) x = static_cast<float>(bound * std::erf(x / std::sqrt(2)));
}

Magnitude normal(const char* name, double deviation) {
  return {name, [deviation](reference::AdditiveInput* in) {
            scale(&in->q, deviation);
            scale(&in->k, deviation);
          }};
}

// Ranges that the arithmetic of a whole item is chosen by: the largest |q| and |k| are exactly these.
Magnitude bounded(const char* name, double q, double k) {
  return {name, [q, k](reference::AdditiveInput* in) {
            spread(&in->q, q);
            spread(&in->k, k);
            in->q[7] = -q;
            in->k[11] = k;
          }};
}

const std::vector<Magnitude> kMagnitudes = {
    normal("N(0, 1)", 1),
    normal("N(0, 3)", 3),
    normal("N(0, 0.3)", 0.3),
    normal("N(0, 0.05)", 0.05),
    normal("N(0, 1e-3)", 1e-3),
    normal("N(0, 1e-6)", 1e-6),
    bounded("q and k up to 1", 1, 1),
    bounded("q up to 1, k to 1.01", 1, 1.01),
    {"q = 50 + N, k = -50 + N",
     [](reference::AdditiveInput* in) {
       scale(&in->q, 1, 50);
       scale(&in->k, 1, -50);
     }},
    bounded("q up to 50, k to 28", 50, 28),
    bounded("q up to 28, k to 50", 28, 50),
    bounded("q up to 29, k to 28.5", 29, 28.5),
    bounded("q and k up to 100", 100, 100),
    {"q of 0, 60, 1e4 and 3e38",
     [](reference::AdditiveInput* in) {
       const double values[] = {0, 60, -60, 1e4, -1e4, 3e38, -3e38};
       for (std::size_t i = 0; i < in->q.size(); ++i) in->q[i] = static_cast<float>(values[i % 7]);
       spread(&in->k, 28);
     }},
    {"v with 0 and 1e-13",
     [](reference::AdditiveInput* in) {
       for (std::size_t a = 0; a < in->v.size(); ++a)
         if (a % 3 != 2) in->v[a] = static_cast<float>((a % 3 == 0 ? 0 : 1e-13) * in->v[a]);
     }},
    {"v = 0", [](reference::AdditiveInput* in) { scale(&in->v, 0); }},
    // All weight is on one key, so o is its x, of which tensor cores keep 22 bits (kernels/device/context_tile.cuh).
    {"v of 1e30", [](reference::AdditiveInput* in) { scale(&in->v, 1e30); }, 6},
};

using MagnitudeCase = std::tuple<Target, AdditiveShape>;

class AdditiveMagnitudes : public testing::TestWithParam<MagnitudeCase> {};

TEST_P(AdditiveMagnitudes, AsExactAsPlainLoops) {
  const auto& [target, shape] = GetParam();
  const bool on_gpu = target.backend == ATTN_BACKEND_CUDA;
  RunOptions options;
  options.backend = target.backend;
  options.d_weights = false;
  std::printf("  errors as multiples of those of plain loops\n  %-26s %6s %6s %6s %6s %6s %6s\n", "", "o", "weights",
              "lse", "d_q", "d_k", "d_v");
  for (const Magnitude& magnitude : kMagnitudes) {
    Case given(shape, {});
    magnitude.apply(&given.input);
    const Result got = run(given, options);
    const auto expected = reference::additive_forward(given.input);
    const auto gradient = reference::additive_backward(given.input, widen(given.d_o), {}, {});
    using reference::numbers;
    const auto plain = forward(numbers<float>(given.input));
    const auto d_plain = backward(numbers<float>(given.input), numbers<float>(widen(given.d_o)), {}, {});
    const double ratios[] = {
        ratio_to_naive(got.o, plain.o, expected.o),       ratio_to_naive(got.weights, plain.weights, expected.weights),
        ratio_to_naive(got.lse, plain.lse, expected.lse), ratio_to_naive(got.d_q, d_plain.q, gradient.q),
        ratio_to_naive(got.d_k, d_plain.k, gradient.k),   ratio_to_naive(got.d_v, d_plain.v, gradient.v)};
    std::printf("  %-26s", magnitude.name);
    for (int i = 0; i < 6; ++i) {
      std::printf(" %6.2f", ratios[i]);
      // The forward pass on the GPU; elsewhere tanh is a few units in the last place less exact than libm's.
      EXPECT_LE(ratios[i], on_gpu && i < 3 ? magnitude.most : 6) << magnitude.name << ", result " << i;
    }
    std::printf("\n");
  }
}

// One shape for each size of a tile on the GPU.
INSTANTIATE_TEST_SUITE_P(Tiles, AdditiveMagnitudes,
                         testing::Combine(testing::ValuesIn(targets(kFullStorage)),
                                          testing::Values(AdditiveShape{1, 7, 70, 64, 17},
                                                          AdditiveShape{1, 40, 60, 67, 17},
                                                          AdditiveShape{1, 70, 140, 128, 9})),
                         shape_name<AdditiveShape>);

}  // namespace
}  // namespace attn::test::additive

// SPDX-License-Identifier: Apache-2.0
//
// The recurrent attention encoder compared with the composed parts of the reference, in each storage type.
#include "attn_cuda/recurrent.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "encoder/recurrent_run.h"

namespace attn::test {
namespace {

// B, T, E, H, layers, directions, dropout, training, attention, positions, Q, A, P, omit_key_bias
attn_recurrent_desc_t described(std::int64_t B, std::int64_t T, std::int64_t E, std::int64_t H, std::int32_t layers,
                                std::int32_t directions, float dropout, attn_attention_t attention) {
  return {sizeof(attn_recurrent_desc_t),
          ATTN_DTYPE_FP32,
          B,
          T,
          E,
          H,
          layers,
          directions,
          dropout,
          1,
          attention,
          T + 3,
          2,
          9,
          5,
          0};
}

attn_recurrent_desc_t without_key_bias(attn_recurrent_desc_t desc) {
  desc.omit_key_bias = 1;
  return desc;
}

struct Variant {
  const char* name;
  attn_recurrent_desc_t desc;
  std::vector<std::int32_t> lengths;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

std::vector<Variant> variants() {
  constexpr attn_attention_t kPooling = ATTN_ATTENTION_POOLING, kAdditive = ATTN_ATTENTION_ADDITIVE;
  return {{"pooling", described(3, 7, 6, 5, 1, 2, 0, kPooling), {}},
          {"additive", described(3, 7, 6, 5, 1, 2, 0, kAdditive), {}},
          {"wide_input_one_direction", described(4, 5, 33, 4, 2, 1, 0, kPooling), {5, 0, 3, 1}},
          {"three_layers_dropped", described(3, 9, 4, 6, 3, 2, 0.4f, kAdditive), {4, 9, 0}},
          {"two_layers_dropped", described(5, 6, 3, 7, 2, 1, 0.25f, kPooling), {}},
          {"one_layer_has_nothing_to_drop", described(2, 4, 3, 2, 1, 1, 0.9f, kPooling), {}},
          {"no_key_bias", without_key_bias(described(3, 7, 6, 5, 1, 2, 0, kAdditive)), {5, 7, 2}},
          {"empty_batch", described(0, 4, 3, 2, 2, 2, 0.5f, kAdditive), {}},
          {"no_positions", described(2, 0, 3, 2, 2, 2, 0.5f, kPooling), {}}};
}

// The relative error of a whole tensor. Single elements are not compared, because the errors of one layer propagate
// through the next.
double relative_error(const Vector& expected, const std::vector<float>& got) {
  if (expected.size() != got.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

// Bounds of the relative errors. Results of a cancellation lose digits. This affects the gradients of the attention's
// parameters, most of all those of query and bias, since the gradients of an item's scores add up to zero.
struct Bounds {
  double forward, d_x, lstm, attention;

  double of(const std::string& parameter) const { return parameter.rfind("lstm.", 0) == 0 ? lstm : attention; }
};

Bounds bounds(attn_dtype_t dtype, const attn_recurrent_desc_t& desc) {
  if (dtype == ATTN_DTYPE_FP32) return {1e-6, 3e-6, 2e-5, 2e-5};
  // In 16 bits rounding to the storage type dominates the error. Each layer rounds its states, output and dropout; the
  // attention rounds its projections, weights and output; the backward pass rounds as many gradients. One rounding has
  // an RMS error of a unit divided by sqrt(12), and the roundings are independent. A layer may amplify the error of its
  // input by a factor of two, and cancellation in these cases leaves one eighth of the magnitude.
  const double unit = storage_of(dtype).epsilon() / std::sqrt(12.0), roundings = 3.0 * desc.layers + 3;
  const double forward = 2 * unit * std::sqrt(roundings), backward = 2 * unit * std::sqrt(2 * roundings);
  return {forward, backward, backward, 8 * backward};
}

class Recurrent : public testing::TestWithParam<std::tuple<Target, Variant>> {
 protected:
  const Target target = std::get<0>(GetParam());
  attn_recurrent_desc_t desc = std::get<1>(GetParam()).desc;
  const std::vector<std::int32_t> lengths = std::get<1>(GetParam()).lengths;
  const Bounds most = bounds(target.dtype, desc);
};

TEST_P(Recurrent, ForwardAndBackward) {
  const RecurrentCase given(desc, lengths), as_stored = stored(given, target);
  const RecurrentReference reference(as_stored.input);
  const RecurrentOutput expected = reference.forward();
  const RecurrentGradient gradient = reference.backward(widen(as_stored.d_o), widen(as_stored.d_weights));
  for (RunOptions options : runs_on(target, {1, 3})) {
    SCOPED_TRACE(testing::Message() << options);
    options.misalignment = 3;
    RecurrentRun run(options, desc);
    const RecurrentResult got = run(given);
    EXPECT_LT(relative_error(expected.o, got.o), most.forward);
    EXPECT_LT(relative_error(expected.weights, got.weights), most.forward);
    EXPECT_LT(relative_error(gradient.x, got.d_x), most.d_x);
    EXPECT_TRUE(got.gaps_are_zero);
    ASSERT_EQ(gradient.parameters.size(), got.d_parameters.size());
    for (const auto& [name, values] : gradient.parameters)
      EXPECT_LT(relative_error(values, got.d_parameters.at(name)), most.of(name)) << name;
  }
}

// Holds also if the parameters that the backend rounds were rounded in advance.
TEST_P(Recurrent, SameBitsInEachRun) {
  const RecurrentCase given(desc, lengths);
  RecurrentRun run(on(target), desc);
  const RecurrentResult once = run(given), again = run(stored(given, target));
  EXPECT_TRUE(same_bits(once.o, again.o));
  EXPECT_TRUE(same_bits(once.d_x, again.d_x));
  for (const auto& [name, values] : once.d_parameters)
    EXPECT_TRUE(same_bits(values, again.d_parameters.at(name))) << name;
}

TEST_P(Recurrent, WithoutTrainingNothingIsDropped) {
  desc.training = 0;
  const RecurrentCase given(desc, lengths);
  const RecurrentOutput expected = RecurrentReference(stored(given, target).input).forward();
  RecurrentRun run(on(target), desc);
  const RecurrentResult got = run(given);
  EXPECT_LT(relative_error(expected.o, got.o), most.forward);
  EXPECT_LT(relative_error(expected.weights, got.weights), most.forward);
}

INSTANTIATE_TEST_SUITE_P(All, Recurrent,
                         testing::Combine(testing::ValuesIn(encoder_targets(kAnyStorage)),
                                          testing::ValuesIn(variants())),
                         shape_name<Variant>);

TEST(RecurrentMap, IsThatOfTheHeaderWhateverTheBatch) {
  attn_recurrent_desc_t desc = described(3, 7, 6, 5, 2, 2, 0, ATTN_ATTENTION_ADDITIVE);
  const auto map_of = [&] {
    std::string map;
    const RecurrentRun run({}, desc);
    for (const attn_parameter_t& parameter : run.parameters()) {
      map += parameter.name + std::string(" @") + std::to_string(parameter.offset);
      for (std::int32_t i = 0; i < parameter.rank; ++i) map += " " + std::to_string(parameter.shape[i]);
      map += "\n";
    }
    return map;
  };
  EXPECT_EQ(map_of(),
            "lstm.0.kernel @0 2 6 20\n"
            "lstm.0.recurrent @240 2 5 20\n"
            "lstm.0.bias @448 2 20\n"
            "lstm.1.kernel @496 2 10 20\n"
            "lstm.1.recurrent @896 2 5 20\n"
            "lstm.1.bias @1104 2 20\n"
            "attention.h @1152 2 5\n"
            "attention.w_q @1168 9 5\n"
            "attention.w_k @1216 9 10\n"
            "attention.b @1312 9\n"
            "attention.v @1328 9\n");
  const std::string before = map_of();
  desc.B = 1;
  desc.T = 100;
  desc.training = 0;
  EXPECT_EQ(map_of(), before);
}

TEST(RecurrentMap, HasNoKeyBiasWhereThatIsOmitted) {
  const RecurrentRun run({}, without_key_bias(described(3, 7, 6, 5, 1, 2, 0, ATTN_ATTENTION_ADDITIVE)));
  std::vector<std::string> names;
  for (const attn_parameter_t& parameter : run.parameters()) names.push_back(parameter.name);
  EXPECT_EQ(names, (std::vector<std::string>{"lstm.0.kernel", "lstm.0.recurrent", "lstm.0.bias", "attention.h",
                                             "attention.w_q", "attention.w_k", "attention.v"}));
}

TEST(RecurrentArguments, AnUnknownTypeIsRefused) {
  attn_recurrent_desc_t desc = described(3, 7, 6, 5, 2, 2, 0, ATTN_ATTENTION_ADDITIVE);
  desc.dtype = static_cast<attn_dtype_t>(3);
  const Handle handle;
  attn_recurrent_t plan = nullptr;
  EXPECT_EQ(attn_recurrent_create(handle.get(), &desc, &plan), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "desc.dtype: expected a value of attn_dtype_t, got 3");
  EXPECT_EQ(plan, nullptr);
}

// Checks the published test vectors of Philox4x32-10, and that a share `rate` of the elements is dropped.
TEST(Dropout, IsPhilox) {
  const kernels::RandomWords zeros = kernels::philox({{0, 0, 0, 0}}, 0);
  EXPECT_EQ(zeros.words[0], 0x6627e8d5u);
  EXPECT_EQ(zeros.words[1], 0xe169c58du);
  EXPECT_EQ(zeros.words[2], 0xbc57ac4cu);
  EXPECT_EQ(zeros.words[3], 0x9b00dbd8u);
  const kernels::RandomWords ones =
      kernels::philox({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, ~std::uint64_t{0});
  EXPECT_EQ(ones.words[0], 0x408f276du);
  EXPECT_EQ(ones.words[1], 0x41c83b0eu);
  EXPECT_EQ(ones.words[2], 0xa20bc7c6u);
  EXPECT_EQ(ones.words[3], 0x6d5451fdu);
}

TEST(Dropout, IsTheSameOnEveryBackendInEachTypeAndKeepsTheMean) {
  constexpr std::int64_t kN = 100003;
  std::vector<float> first;
  for (const RunOptions& options : encoder_runs({1, 3}, kAnyStorage)) {
    const Handle handle = make_handle(options);
    Tensors tensors(handle, options);
    void* const out = tensors.out(kN, options.dtype);
    check(attn_dropout(handle.get(), options.dtype, kN, 0.25f, 5, 2,
                       tensors.in(std::vector<float>(kN, 3.0f), options.dtype), out));
    tensors.expect_intact();
    const std::vector<float> got = tensors.values(out);
    if (first.empty()) first = got;
    EXPECT_TRUE(same_bits(got, first)) << options;
  }
  const auto dropped = std::count(first.begin(), first.end(), 0.0f);
  EXPECT_EQ(std::count(first.begin(), first.end(), 4.0f), kN - dropped);
  EXPECT_NEAR(static_cast<double>(dropped) / kN, 0.25, 0.005);  // 3.7 standard deviations
}

}  // namespace
}  // namespace attn::test

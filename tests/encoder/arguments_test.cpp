// SPDX-License-Identifier: Apache-2.0
//
// Every argument rule of libattn_cuda_encoder, one row each: a call that violates it, the status, and the message.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "encoder/argument_calls.h"

namespace attn::test {
namespace {

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      // Handles.
      {"handle: expected a pointer, got null", kHandle, [](Calls& c) { c.handle = nullptr; }},
      {"handle: expected one made by attn_create", kHandle,
       [](Calls& c) { c.handle = reinterpret_cast<attn_handle_t>(c.f); }},

      // Descriptors.
      {"desc: expected a pointer, got null", kDescs + kAdam,
       [](Calls& c) { c.projected_desc = nullptr, c.lstm_desc = nullptr, c.adam_desc = nullptr; }},
      {"desc.struct_size: expected ", kDescs, descs([](auto& d) { d.struct_size = 3; })},
      {"desc.struct_size: expected ", kAdam, [](Calls& c) { c.adam.struct_size = 3; }},
      {"desc.dtype: expected a value of attn_dtype_t, got 3", kDescs,
       descs([](auto& d) { d.dtype = static_cast<attn_dtype_t>(3); })},
      {"desc.dtype: expected a value of attn_dtype_t, got -1", kDescs,
       descs([](auto& d) { d.dtype = static_cast<attn_dtype_t>(-1); })},
      {"desc.B: expected at least 0, got -1", kDescs, descs([](auto& d) { d.B = -1; })},
      {"desc.T: expected at least 0, got -1", kDescs, descs([](auto& d) { d.T = -1; })},
      {"desc.H: expected at least 1, got 0", kDescs, descs([](auto& d) { d.H = 0; })},
      {"desc.Q: expected at least 0, got -1", kProjected, [](Calls& c) { c.projected.Q = -1; }},
      {"desc.A: expected at least 1, got 0", kProjected, [](Calls& c) { c.projected.A = 0; }},
      {"desc.D: expected at least 1, got 0", kProjected, [](Calls& c) { c.projected.D = 0; }},
      {"desc.shared_query: expected 0 or 1, got 2", kProjected, [](Calls& c) { c.projected.shared_query = 2; }},
      {"desc.E: expected at least 1, got 0", kCreate, [](Calls& c) { c.lstm.E = 0; }},
      {"desc.directions: expected 1 or 2, got 3", kCreate, [](Calls& c) { c.lstm.directions = 3; }},
      {"desc.training: expected 0 or 1, got -1", kCreate, [](Calls& c) { c.lstm.training = -1; }},
      {"q: expected a shape of fewer than 2^59 elements, got [2, 9223372036854775807, 5]", kProjected,
       [](Calls& c) { c.projected.Q = kMost; }},
      {"q: expected a shape of fewer than 2^59 elements, got [0, 9223372036854775807, 5]", kProjected,
       [](Calls& c) { c.projected.Q = kMost, c.projected.B = 0; }},
      {"k: expected a shape of fewer than 2^59 elements", kProjected, [](Calls& c) { c.projected.T = kMost; }},
      {"x: expected a shape of fewer than 2^59 elements", kProjected, [](Calls& c) { c.projected.D = kMost; }},
      {"h: expected a shape of fewer than 2^59 elements", kProjected, [](Calls& c) { c.projected.H = kMost; }},
      {"w_q: expected a shape of fewer than 2^59 elements", kProjected,
       [](Calls& c) { c.projected.H = kMost / 64, c.projected.B = 0; }},
      {"w_k: expected a shape of fewer than 2^59 elements", kProjected,
       [](Calls& c) { c.projected.D = kMost / 64 - 1, c.projected.B = 0; }},
      {"o: expected a shape of fewer than 2^59 elements", kProjected,
       [](Calls& c) { c.projected.D = kMost / 32, c.projected.A = c.projected.T = 1; }},
      {"weights: expected a shape of fewer than 2^59 elements", kProjected,
       [](Calls& c) {
         c.projected.Q = c.projected.T = std::int64_t{1} << 30;
         c.projected.A = c.projected.D = c.projected.H = 1;
       }},
      {"x: expected a shape of fewer than 2^59 elements", kCreate, [](Calls& c) { c.lstm.T = kMost; }},
      {"y: expected a shape of fewer than 2^59 elements", kCreate, [](Calls& c) { c.lstm.H = kMost; }},
      {"kernel: expected a shape of fewer than 2^59 elements", kCreate,
       [](Calls& c) { c.lstm.E = kMost / 64, c.lstm.B = c.lstm.T = 0; }},
      {"recurrent: expected a shape of fewer than 2^59 elements", kCreate,
       [](Calls& c) { c.lstm.H = std::int64_t{1} << 40, c.lstm.B = 0; }},
      {"reserve: expected a shape of fewer than 2^59 elements", kCreate,
       [](Calls& c) { c.lstm.B = c.lstm.T = std::int64_t{1} << 28, c.lstm.E = c.lstm.H = 1; }},
      {"desc: expected (T + 1) 4 (max(E, H) + 32) below 2^31, got 1340029796352", kCreate,
       [](Calls& c) { c.lstm.T = (std::int64_t{1} << 33) - 1; }, ATTN_UNSUPPORTED},
      {"desc: expected (T + 1) 4 (max(E, H) + 32) below 2^31, got ", kCreate,
       [](Calls& c) { c.lstm.E = std::int64_t{1} << 32; }, ATTN_UNSUPPORTED},
      {"pass: expected a value of attn_pass_t, got 2",
       {&Calls::projected_size, &Calls::lstm_size},
       [](Calls& c) { std::memset(&c.pass, 2, 1); }},
      {"bytes: expected a pointer, got null",
       {&Calls::projected_reserve, &Calls::projected_size, &Calls::lstm_reserve, &Calls::lstm_size,
        &Calls::embedding_size},
       [](Calls& c) { c.bytes_out = nullptr; }},

      // Arguments of both mechanisms.
      {"args: expected a pointer, got null", kRuns,
       [](Calls& c) {
         c.projected_in_args = nullptr, c.projected_back_args = nullptr;
         c.lstm_in_args = nullptr, c.lstm_back_args = nullptr;
       }},
      {"args.struct_size: expected ", kRuns, args([](auto& a) { a.struct_size = 8; })},
      {"args.x: expected a pointer, got null", kRuns, args([](auto& a) { a.x = nullptr; })},
      {"args.lengths[1]: expected 0 to T = 4, got 5", kRuns, [](Calls& c) { c.lengths[1] = 5; }},
      {"args.lengths[0]: expected 0 to T = 4, got -1", kRuns, [](Calls& c) { c.lengths[0] = -1; }},
      {"args.reserve: expected a pointer, got null", kPlanRuns + std::vector<Call>{&Calls::projected_backward},
       args([](auto& a) { a.reserve = nullptr; })},
      {"args.reserve: expected a pointer aligned to 64 bytes, got one 4 bytes past", kRuns,
       [](Calls& c) {
         c.projected_in.reserve = c.lstm_in.reserve = c.kept + 4;
         c.projected_back.reserve = c.lstm_back.reserve = c.kept + 4;
       }},
      {"workspace_bytes: expected at least ", kRuns, [](Calls& c) { c.workspace_bytes = 1; }},
      {"workspace: expected a pointer, got null", kRuns, [](Calls& c) { c.workspace = nullptr; }},
      {"workspace: expected a pointer aligned to 64 bytes, got one 8 bytes past", kRuns,
       [](Calls& c) { c.workspace = c.memory + 8; }},

      // Projected attention.
      {"args.h: expected a pointer, got null", kProjectedRuns, projected_args([](auto& a) { a.h = nullptr; })},
      {"args.w_q: expected a pointer, got null", kProjectedRuns, projected_args([](auto& a) { a.w_q = nullptr; })},
      {"args.w_k: expected a pointer, got null", kProjectedRuns, projected_args([](auto& a) { a.w_k = nullptr; })},
      {"args.v: expected a pointer, got null", kProjectedRuns, projected_args([](auto& a) { a.v = nullptr; })},
      {"args.o: expected a pointer, got null",
       {&Calls::projected_forward},
       [](Calls& c) { c.projected_in.o = nullptr; }},
      {"args.d_o: expected a pointer, got null",
       {&Calls::projected_backward},
       [](Calls& c) { c.projected_back.d_o = nullptr; }},

      // LSTM.
      {"plan: expected a pointer, got null", kCreate, [](Calls& c) { c.created_out = nullptr; }},
      {"plan: expected a pointer, got null", kPlan, [](Calls& c) { c.plan = nullptr; }},
      {"plan: expected one made by attn_lstm_create and not destroyed, got another pointer",
       kPlan + std::vector<Call>{&Calls::lstm_destroy}, [](Calls& c) { c.destroy_plan(); }},
      {"plan: expected a handle of ", kPlan, [](Calls& c) { c.owner.set_threads(c.owner.threads() + 1); }},
      {"handle: expected one made by attn_create and not destroyed", kPlan, [](Calls& c) { c.owner = attn::Handle(); }},
      {"plan: expected a plan with training, got one without",
       {&Calls::lstm_backward},
       [](Calls& c) { c.remake_plan(0); }},
      {"pass: expected a plan with training, got one without",
       {&Calls::lstm_size},
       [](Calls& c) { c.remake_plan(0), c.pass = ATTN_PASS_BACKWARD; }},
      {"args.reserve: expected null in a plan without training, got a pointer",
       {&Calls::lstm_forward},
       [](Calls& c) { c.remake_plan(0), c.lstm_in.reserve = c.kept; }},
      {"args.kernel: expected a pointer, got null", kPlanRuns, lstm_args([](auto& a) { a.kernel = nullptr; })},
      {"args.recurrent: expected a pointer, got null", kPlanRuns, lstm_args([](auto& a) { a.recurrent = nullptr; })},
      {"args.bias: expected a pointer, got null", kPlanRuns, lstm_args([](auto& a) { a.bias = nullptr; })},
      {"args.y: expected a pointer, got null", kPlanRuns, lstm_args([](auto& a) { a.y = nullptr; })},
      {"args.d_y: expected a pointer, got null", {&Calls::lstm_backward}, [](Calls& c) { c.lstm_back.d_y = nullptr; }},
      {"args.d_x: expected a pointer, got null", {&Calls::lstm_backward}, [](Calls& c) { c.lstm_back.d_x = nullptr; }},
      {"args.d_kernel: expected a pointer, got null",
       {&Calls::lstm_backward},
       [](Calls& c) { c.lstm_back.d_kernel = nullptr; }},
      {"args.d_recurrent: expected a pointer, got null",
       {&Calls::lstm_backward},
       [](Calls& c) { c.lstm_back.d_recurrent = nullptr; }},
      {"args.d_bias: expected a pointer, got null",
       {&Calls::lstm_backward},
       [](Calls& c) { c.lstm_back.d_bias = nullptr; }},

      // Embedding.
      {"N: expected at least 0, got -1", kEmbedding + kEmbeddingSize + kAdam + kConvert + kFind + kDropout,
       [](Calls& c) { c.N = -1; }},
      {"V: expected at least 1, got 0", kEmbedding + kEmbeddingSize, [](Calls& c) { c.V = 0; }},
      {"E: expected at least 1, got 0", kEmbedding + kEmbeddingSize, [](Calls& c) { c.E = 0; }},
      {"rows: expected a shape of fewer than 2^59 elements", kEmbedding + kEmbeddingSize,
       [](Calls& c) { c.E = kMost; }},
      {"table: expected a shape of fewer than 2^59 elements", kEmbedding + kEmbeddingSize,
       [](Calls& c) { c.V = kMost; }},
      {"ids: expected a pointer, got null", kEmbedding, [](Calls& c) { c.id = nullptr; }},
      {"ids[0]: expected 0 to V - 1 = 7, got 8", kEmbedding, [](Calls& c) { c.ids[0] = 8; }},
      {"ids[1]: expected 0 to V - 1 = 7, got -1", kEmbedding, [](Calls& c) { c.ids[1] = -1; }},
      {"table: expected a pointer, got null", {&Calls::embedding_forward}, [](Calls& c) { c.table = nullptr; }},
      {"rows: expected a pointer, got null", {&Calls::embedding_forward}, [](Calls& c) { c.rows = nullptr; }},
      {"d_rows: expected a pointer, got null", {&Calls::embedding_backward}, [](Calls& c) { c.d_rows = nullptr; }},
      {"d_table: expected a pointer, got null", {&Calls::embedding_backward}, [](Calls& c) { c.d_table = nullptr; }},

      // Dense and cross-entropy.
      {"B: expected at least 0, got -1", kDense + kCrossEntropy, [](Calls& c) { c.B = -1; }},
      {"D: expected at least 1, got 0", kDense, [](Calls& c) { c.D = 0; }},
      {"x: expected a shape of fewer than 2^59 elements", kDense, [](Calls& c) { c.B = kMost; }},
      {"x: expected a shape of fewer than 2^59 elements", kDense, [](Calls& c) { c.D = kMost, c.B = 0; }},
      {"z: expected a shape of fewer than 2^59 elements", kCrossEntropy, [](Calls& c) { c.B = kMost; }},
      {"x: expected a pointer, got null", kDense, [](Calls& c) { c.x = nullptr; }},
      {"w: expected a pointer, got null", kDense, [](Calls& c) { c.w = nullptr; }},
      {"b: expected a pointer, got null", {&Calls::dense_forward}, [](Calls& c) { c.b = nullptr; }},
      {"z: expected a pointer, got null", {&Calls::dense_forward}, [](Calls& c) { c.z_out = nullptr; }},
      {"d_z: expected a pointer, got null", {&Calls::dense_backward}, [](Calls& c) { c.d_z = nullptr; }},
      {"d_x: expected a pointer, got null", {&Calls::dense_backward}, [](Calls& c) { c.d_x = nullptr; }},
      {"d_w: expected a pointer, got null", {&Calls::dense_backward}, [](Calls& c) { c.d_w = nullptr; }},
      {"d_b: expected a pointer, got null", {&Calls::dense_backward}, [](Calls& c) { c.d_b = nullptr; }},
      {"z: expected a pointer, got null", kCrossEntropy, [](Calls& c) { c.z = nullptr; }},
      {"y: expected a pointer, got null", kCrossEntropy, [](Calls& c) { c.y = nullptr; }},
      {"y[1]: expected 0 to 1, got 1.5", kCrossEntropy, [](Calls& c) { c.labels[1] = 1.5f; }},
      {"y[0]: expected 0 to 1, got -0.5", kCrossEntropy, [](Calls& c) { c.labels[0] = -0.5f; }},
      {"y[0]: expected 0 to 1, got nan", kCrossEntropy, [](Calls& c) { c.labels[0] = kNan; }},

      {"scale: expected a finite number above 0 that is not subnormal, got 0", kCrossEntropy,
       [](Calls& c) { c.scale = 0; }},
      {"scale: expected a finite number above 0 that is not subnormal, got -1", kCrossEntropy,
       [](Calls& c) { c.scale = -1; }},
      {"scale: expected a finite number above 0 that is not subnormal, got inf", kCrossEntropy,
       [](Calls& c) { c.scale = 1 / 0.0f; }},
      {"scale: expected a finite number above 0 that is not subnormal, got nan", kCrossEntropy,
       [](Calls& c) { c.scale = kNan; }},

      // Storage types, conversion, the search for non-finite values, dropout.
      {"dtype: expected a value of attn_dtype_t, got 3", kEmbedding + kDropout,
       [](Calls& c) { c.dtype = static_cast<attn_dtype_t>(3); }},
      {"from: expected a value of attn_dtype_t, got 3", kConvert,
       [](Calls& c) { c.from = static_cast<attn_dtype_t>(3); }},
      {"to: expected a value of attn_dtype_t, got -1", kConvert,
       [](Calls& c) { c.to = static_cast<attn_dtype_t>(-1); }},
      {"to: expected ATTN_DTYPE_FP32 or the type of in, got the other 16-bit type", kConvert,
       [](Calls& c) { c.from = ATTN_DTYPE_FP16, c.to = ATTN_DTYPE_BF16; }},
      {"to: expected ATTN_DTYPE_FP32 or the type of in, got the other 16-bit type", kConvert,
       [](Calls& c) { c.from = ATTN_DTYPE_BF16, c.to = ATTN_DTYPE_FP16; }},
      {"in: expected a shape of fewer than 2^59 elements", kConvert + kDropout, [](Calls& c) { c.N = kMost; }},
      {"numbers: expected a shape of fewer than 2^59 elements", kFind, [](Calls& c) { c.N = kMost; }},
      {"in: expected a pointer, got null", kConvert + kDropout, [](Calls& c) { c.in = nullptr; }},
      {"out: expected a pointer, got null", kConvert + kDropout, [](Calls& c) { c.to_out = nullptr; }},
      {"numbers: expected a pointer, got null", kFind, [](Calls& c) { c.in = nullptr; }},
      {"found: expected a pointer, got null", kFind, [](Calls& c) { c.found = nullptr; }},
      {"found: expected a pointer, got null", kFind, [](Calls& c) { c.N = 0, c.found = nullptr; }},
      {"rate: expected at least 0 and below 1, got 1", kDropout, [](Calls& c) { c.rate = 1; }},
      {"rate: expected at least 0 and below 1, got -1", kDropout, [](Calls& c) { c.rate = -1; }},
      {"rate: expected at least 0 and below 1, got nan", kDropout, [](Calls& c) { c.rate = kNan; }},

      // Adam.
      {"desc.rate: expected a finite number above 0, got 0", kAdam, [](Calls& c) { c.adam.rate = 0; }},
      {"desc.rate: expected a finite number above 0, got inf", kAdam, [](Calls& c) { c.adam.rate = 1 / 0.0f; }},
      {"desc.rate: expected a finite number above 0, got nan", kAdam, [](Calls& c) { c.adam.rate = kNan; }},
      {"desc.beta_1: expected at least 0 and below 1, got 1", kAdam, [](Calls& c) { c.adam.beta_1 = 1; }},
      {"desc.beta_1: expected at least 0 and below 1, got -1", kAdam, [](Calls& c) { c.adam.beta_1 = -1; }},
      {"desc.beta_2: expected at least 0 and below 1, got 1", kAdam, [](Calls& c) { c.adam.beta_2 = 1; }},
      {"desc.beta_2: expected at least 0 and below 1, got nan", kAdam, [](Calls& c) { c.adam.beta_2 = kNan; }},
      {"desc.epsilon: expected a finite number, at least 0, got -1", kAdam, [](Calls& c) { c.adam.epsilon = -1; }},
      {"desc.step: expected at least 1, got 0", kAdam, [](Calls& c) { c.adam.step = 0; }},
      {"desc.scale: expected a finite number above 0 that is not subnormal, got 0", kAdam,
       [](Calls& c) { c.adam.scale = 0; }},
      {"desc.scale: expected a finite number above 0 that is not subnormal, got 0.000000", kAdam,
       [](Calls& c) { c.adam.scale = 1e-40f; }},
      {"desc.scale: expected a finite number above 0 that is not subnormal, got -1", kAdam,
       [](Calls& c) { c.adam.scale = -1; }},
      {"desc.scale: expected a finite number above 0 that is not subnormal, got inf", kAdam,
       [](Calls& c) { c.adam.scale = 1 / 0.0f; }},
      {"desc.scale: expected a finite number above 0 that is not subnormal, got nan", kAdam,
       [](Calls& c) { c.adam.scale = kNan; }},
      {"p: expected a shape of fewer than 2^59 elements", kAdam, [](Calls& c) { c.N = kMost; }},
      {"g: expected a pointer, got null", kAdam, [](Calls& c) { c.g = nullptr; }},
      {"p: expected a pointer, got null", kAdam, [](Calls& c) { c.p = nullptr; }},
      {"m: expected a pointer, got null", kAdam, [](Calls& c) { c.m = nullptr; }},
      {"s: expected a pointer, got null", kAdam, [](Calls& c) { c.s = nullptr; }},
  };
  return all;
}

TEST(Arguments, TheUnbrokenCallsSucceed) {
  for (const Call call : kHandle + kPlan) {
    Calls calls;
    EXPECT_EQ((calls.*call)(), ATTN_SUCCESS) << attn_last_error();
  }
}

TEST(Arguments, EveryRuleNamesArgumentExpectedAndGot) {
  for (const Rule& rule : rules())
    for (std::size_t i = 0; i < rule.calls.size(); ++i) {
      Calls calls;
      rule.change(calls);
      EXPECT_EQ((calls.*rule.calls[i])(), rule.status) << rule.message << ", call " << i;
      EXPECT_EQ(std::string(attn_last_error()).rfind(rule.message, 0), 0u)
          << "expected \"" << rule.message << "\", got \"" << attn_last_error() << "\", call " << i;
    }
}

TEST(Arguments, EmptyTensorsNeedNoPointers) {
  Calls c;
  c.projected.B = c.lstm.B = 0;
  c.projected_in = {
      sizeof c.projected_in, nullptr, nullptr, c.f, c.f, nullptr, c.f, nullptr, nullptr, nullptr, nullptr};
  EXPECT_EQ(c.projected_forward(), ATTN_SUCCESS) << attn_last_error();
  c.remake_plan(1);
  c.lstm_in = {sizeof c.lstm_in, nullptr, c.f, c.f, c.f, nullptr, nullptr, nullptr};
  c.workspace = nullptr;
  c.workspace_bytes = 0;
  EXPECT_EQ(c.lstm_forward(), ATTN_SUCCESS) << attn_last_error();
  EXPECT_EQ(attn_embedding_forward(c.handle, ATTN_DTYPE_FP32, 0, 8, 6, nullptr, c.f, nullptr), ATTN_SUCCESS)
      << attn_last_error();
  EXPECT_EQ(attn_embedding_backward(c.handle, ATTN_DTYPE_FP32, 0, 8, 6, nullptr, nullptr, c.f, nullptr, 0),
            ATTN_SUCCESS);
  EXPECT_EQ(attn_dense_forward(c.handle, 0, 6, nullptr, c.f, c.f, nullptr), ATTN_SUCCESS) << attn_last_error();
  EXPECT_EQ(attn_sigmoid_cross_entropy(c.handle, 0, nullptr, nullptr, 1, nullptr, nullptr), ATTN_SUCCESS);
  EXPECT_EQ(attn_adam_step(c.handle, &c.adam, 0, nullptr, nullptr, nullptr, nullptr), ATTN_SUCCESS);
  EXPECT_EQ(attn_convert(c.handle, 0, ATTN_DTYPE_FP32, nullptr, ATTN_DTYPE_BF16, nullptr), ATTN_SUCCESS);
  EXPECT_EQ(attn_dropout(c.handle, ATTN_DTYPE_FP16, 0, 0.5f, 1, 0, nullptr, nullptr), ATTN_SUCCESS);
  EXPECT_EQ(attn_find_nonfinite(c.handle, 0, nullptr, c.found), ATTN_SUCCESS);
  EXPECT_EQ(*c.found, 0);
}

TEST(Arguments, EmbeddingsNeedNoWorkspaceOnTheCpu) {
  Calls c;
  c.bytes = 1;
  EXPECT_EQ(c.embedding_size(), ATTN_SUCCESS);
  EXPECT_EQ(c.bytes, 0u);
  c.workspace = nullptr;
  c.workspace_bytes = 0;
  EXPECT_EQ(c.embedding_backward(), ATTN_SUCCESS) << attn_last_error();
}

TEST(Arguments, ANullPlanMayBeDestroyed) { EXPECT_EQ(attn_lstm_destroy(nullptr), ATTN_SUCCESS); }

TEST(Arguments, ARefusedCreationGivesNoPlan) {
  Calls c;
  c.created = c.made;
  c.lstm.E = 0;
  EXPECT_EQ(c.lstm_create(), ATTN_INVALID_ARGUMENT);
  c.created = nullptr;
}

TEST(Libraries, NamesThemWithVersions) {
  attn::Handle handle;
  const std::string libraries = attn_encoder_libraries(handle.get());
  EXPECT_EQ(libraries.rfind("oneDNN ", 0), 0u) << libraries;
  EXPECT_NE(libraries.find('.'), std::string::npos) << libraries;
  EXPECT_STREQ(attn_encoder_libraries(nullptr), "");
}

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// Every argument rule of libattn_cuda, one row each: a call that violates it, the status, and the parts that the
// message must contain.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Valid calls with B = 2, Q = 3, T = 4, A = 5, D = 6. Each row changes one argument.
struct Calls {
  attn::Handle handle;
  std::vector<float> values = std::vector<float>(1000);
  std::vector<std::int32_t> lengths = {4, 0}, cu_seqlens;
  alignas(64) float workspace[4096];
  attn_handle_t h = handle.get();
  attn_pass_t pass = ATTN_PASS_FORWARD;
  std::size_t bytes = 0;
  std::size_t* bytes_out = &bytes;
  void* memory = workspace;
  std::size_t memory_bytes = sizeof workspace;

  attn_additive_desc_t additive{sizeof additive, ATTN_DTYPE_FP32, 2, 3, 4, 5, 6};
  attn_additive_forward_args_t additive_in{
      sizeof additive_in, values.data(), values.data(), values.data(), values.data(),
      lengths.data(),     nullptr,       values.data(), nullptr,       values.data()};
  attn_additive_backward_args_t additive_back{sizeof additive_back,
                                              values.data(),
                                              values.data(),
                                              values.data(),
                                              values.data(),
                                              lengths.data(),
                                              nullptr,
                                              values.data(),
                                              nullptr,
                                              values.data(),
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              nullptr};
  attn_pooling_desc_t pooling{sizeof pooling, ATTN_DTYPE_FP32, 2, 4, 6};
  attn_pooling_forward_args_t pooling_in{sizeof pooling_in, values.data(), values.data(), values.data(),
                                         lengths.data(),    nullptr,       values.data(), nullptr};
  attn_pooling_backward_args_t pooling_back{
      sizeof pooling_back, values.data(), values.data(), values.data(), lengths.data(), nullptr,
      values.data(),       nullptr,       nullptr,       nullptr,       nullptr};
  const attn_additive_desc_t* additive_desc = &additive;
  const attn_additive_forward_args_t* additive_in_args = &additive_in;
  const attn_additive_backward_args_t* additive_back_args = &additive_back;
  const attn_pooling_desc_t* pooling_desc = &pooling;
  const attn_pooling_forward_args_t* pooling_in_args = &pooling_in;
  const attn_pooling_backward_args_t* pooling_back_args = &pooling_back;

  // Replaces lengths by packed keys with these offsets.
  void pack(const std::vector<std::int32_t>& bounds) {
    cu_seqlens = bounds;
    additive_in.lengths = additive_back.lengths = pooling_in.lengths = pooling_back.lengths = nullptr;
    additive_in.cu_seqlens = additive_back.cu_seqlens = cu_seqlens.data();
    pooling_in.cu_seqlens = pooling_back.cu_seqlens = cu_seqlens.data();
  }

  attn_status_t additive_size() { return attn_additive_workspace_size(h, additive_desc, pass, bytes_out); }
  attn_status_t additive_forward() {
    return attn_additive_forward(h, additive_desc, additive_in_args, memory, memory_bytes);
  }
  attn_status_t additive_backward() {
    return attn_additive_backward(h, additive_desc, additive_back_args, memory, memory_bytes);
  }
  attn_status_t pooling_size() { return attn_pooling_workspace_size(h, pooling_desc, pass, bytes_out); }
  attn_status_t pooling_forward() {
    return attn_pooling_forward(h, pooling_desc, pooling_in_args, memory, memory_bytes);
  }
  attn_status_t pooling_backward() {
    return attn_pooling_backward(h, pooling_desc, pooling_back_args, memory, memory_bytes);
  }
};

using Call = attn_status_t (Calls::*)();

struct Rule {
  const char* name;
  std::vector<Call> calls;  // each of which must fail
  std::function<void(Calls&)> break_it;
  attn_status_t status;
  std::vector<std::string> message;  // the parts that it must contain: argument, expected, got
};

const std::vector<Call> kAdditive = {&Calls::additive_size, &Calls::additive_forward, &Calls::additive_backward};
const std::vector<Call> kAdditiveRuns = {&Calls::additive_forward, &Calls::additive_backward};
const std::vector<Call> kPooling = {&Calls::pooling_size, &Calls::pooling_forward, &Calls::pooling_backward};
const std::vector<Call> kPoolingRuns = {&Calls::pooling_forward, &Calls::pooling_backward};
const std::vector<Call> kAll = {&Calls::additive_size, &Calls::additive_forward, &Calls::additive_backward,
                                &Calls::pooling_size,  &Calls::pooling_forward,  &Calls::pooling_backward};
const std::vector<Call> kSizes = {&Calls::additive_size, &Calls::pooling_size};
const std::vector<Call> kRuns = {&Calls::additive_forward, &Calls::additive_backward, &Calls::pooling_forward,
                                 &Calls::pooling_backward};

std::vector<Rule> rules() {
  const attn_status_t invalid = ATTN_INVALID_ARGUMENT;
  const auto both = [](auto change) {
    return [change](Calls& c) {
      change(c.additive);
      change(c.pooling);
    };
  };
  return {
      {"null handle", kAll, [](Calls& c) { c.h = nullptr; }, invalid, {"handle: expected a pointer, got null"}},
      {"foreign handle",
       kAll,
       [](Calls& c) { c.h = reinterpret_cast<attn_handle_t>(c.values.data()); },
       invalid,
       {"handle: expected one made by attn_create"}},
      {"null desc",
       kAll,
       [](Calls& c) { c.additive_desc = nullptr, c.pooling_desc = nullptr; },
       invalid,
       {"desc: expected a pointer, got null"}},
      {"desc size", kAll, both([](auto& d) { d.struct_size = 3; }), invalid, {"desc.struct_size: expected", "got 3"}},
      {"dtype value",
       kAll,
       both([](auto& d) { d.dtype = static_cast<attn_dtype_t>(3); }),
       invalid,
       {"desc.dtype: expected a value of attn_dtype_t, got 3"}},
      {"B", kAll, both([](auto& d) { d.B = -1; }), invalid, {"desc.B: expected at least 0, got -1"}},
      {"Q", kAdditive, [](Calls& c) { c.additive.Q = -2; }, invalid, {"desc.Q: expected at least 0, got -2"}},
      {"T", kAll, both([](auto& d) { d.T = -3; }), invalid, {"desc.T: expected at least 0, got -3"}},
      {"A", kAdditive, [](Calls& c) { c.additive.A = 0; }, invalid, {"desc.A: expected at least 1, got 0"}},
      {"D", kAll, both([](auto& d) { d.D = 0; }), invalid, {"desc.D: expected at least 1, got 0"}},
      {"q overflows",
       kAdditive,
       [](Calls& c) { c.additive.Q = kMost; },
       invalid,
       {"q: expected a shape of fewer", "[2, 9223372036854775807, 5]"}},
      {"k overflows", kAdditive, [](Calls& c) { c.additive.T = kMost / 8; }, invalid, {"k: expected a shape of fewer"}},
      {"x overflows", kAdditive, [](Calls& c) { c.additive.D = kMost / 8; }, invalid, {"x: expected a shape of fewer"}},
      {"o overflows",
       kAdditive,
       [](Calls& c) { c.additive.D = kMost / 32, c.additive.Q = 3, c.additive.T = 1; },
       invalid,
       {"o: expected a shape of fewer"}},
      {"weights overflow",
       kAdditive,
       [](Calls& c) { c.additive.Q = c.additive.T = std::int64_t{1} << 30, c.additive.A = c.additive.D = 1; },
       invalid,
       {"weights: expected a shape of fewer", "[2, 1073741824, 1073741824]"}},
      {"x overflows in pooling",
       kPooling,
       [](Calls& c) { c.pooling.B = c.pooling.T = kMost / 2; },
       invalid,
       {"x: expected a shape of fewer"}},
      {"q overflows in an empty batch",
       kAdditive,
       [](Calls& c) { c.additive.B = 0, c.additive.Q = kMost; },
       invalid,
       {"q: expected a shape of fewer", "[0, 9223372036854775807"}},
      {"k overflows without queries",
       kAdditive,
       [](Calls& c) { c.additive.Q = 0, c.additive.T = kMost; },
       invalid,
       {"k: expected a shape of fewer"}},
      {"x overflows in an empty batch of pooling",
       kPooling,
       [](Calls& c) { c.pooling.B = 0, c.pooling.T = kMost; },
       invalid,
       {"x: expected a shape of fewer"}},
      {"pass",
       kSizes,
       [](Calls& c) { c.pass = static_cast<attn_pass_t>(2); },
       invalid,
       {"pass: expected a value of attn_pass_t, got 2"}},
      {"null bytes", kSizes, [](Calls& c) { c.bytes_out = nullptr; }, invalid, {"bytes: expected a pointer, got null"}},
      {"null args",
       kRuns,
       [](Calls& c) {
         c.additive_in_args = nullptr, c.additive_back_args = nullptr, c.pooling_in_args = nullptr,
         c.pooling_back_args = nullptr;
       },
       invalid,
       {"args: expected a pointer, got null"}},
      {"args size",
       kRuns,
       [](Calls& c) {
         c.additive_in.struct_size = c.additive_back.struct_size = c.pooling_in.struct_size =
             c.pooling_back.struct_size = 8;
       },
       invalid,
       {"args.struct_size: expected", "got 8"}},
      {"null q",
       kAdditiveRuns,
       [](Calls& c) { c.additive_in.q = c.additive_back.q = nullptr; },
       invalid,
       {"args.q: expected a pointer, got null"}},
      {"null k",
       kAdditiveRuns,
       [](Calls& c) { c.additive_in.k = c.additive_back.k = nullptr; },
       invalid,
       {"args.k: expected a pointer, got null"}},
      {"null v",
       kAdditiveRuns,
       [](Calls& c) { c.additive_in.v = c.additive_back.v = nullptr; },
       invalid,
       {"args.v: expected a pointer, got null"}},
      {"null x",
       kRuns,
       [](Calls& c) { c.additive_in.x = c.additive_back.x = c.pooling_in.x = c.pooling_back.x = nullptr; },
       invalid,
       {"args.x: expected a pointer, got null"}},
      {"null w",
       kPoolingRuns,
       [](Calls& c) { c.pooling_in.w = c.pooling_back.w = nullptr; },
       invalid,
       {"args.w: expected a pointer, got null"}},
      {"null o",
       {&Calls::additive_forward, &Calls::pooling_forward},
       [](Calls& c) { c.additive_in.o = c.pooling_in.o = nullptr; },
       invalid,
       {"args.o: expected a pointer, got null"}},
      {"null lse",
       {&Calls::additive_backward},
       [](Calls& c) { c.additive_back.lse = nullptr; },
       invalid,
       {"args.lse: expected a pointer, got null"}},
      {"null d_o",
       {&Calls::additive_backward, &Calls::pooling_backward},
       [](Calls& c) { c.additive_back.d_o = c.pooling_back.d_o = nullptr; },
       invalid,
       {"args.d_o: expected a pointer, got null"}},
      {"length above T",
       kRuns,
       [](Calls& c) { c.lengths[1] = 5; },
       invalid,
       {"args.lengths[1]: expected 0 to T = 4, got 5"}},
      {"negative length",
       kRuns,
       [](Calls& c) { c.lengths[0] = -1; },
       invalid,
       {"args.lengths[0]: expected 0 to T = 4, got -1"}},
      {"lengths beside cu_seqlens",
       kRuns,
       [](Calls& c) {
         c.pack({0, 3, 7});
         c.additive_in.lengths = c.additive_back.lengths = c.lengths.data();
         c.pooling_in.lengths = c.pooling_back.lengths = c.lengths.data();
       },
       invalid,
       {"args.cu_seqlens: expected null where there are lengths, got a pointer"}},
      {"cu_seqlens does not start with 0",
       kRuns,
       [](Calls& c) {
         c.pack({1, 3, 7});
       },
       invalid,
       {"args.cu_seqlens[0]: expected 0, got 1"}},
      {"cu_seqlens decreases",
       kRuns,
       [](Calls& c) {
         c.pack({0, 3, 2});
       },
       invalid,
       {"args.cu_seqlens[2]: expected 3 to 3 + T = 7, got 2"}},
      {"a packed item is longer than T",
       kRuns,
       [](Calls& c) {
         c.pack({0, 5, 7});
       },
       invalid,
       {"args.cu_seqlens[1]: expected 0 to 0 + T = 4, got 5"}},
      {"small workspace",
       kRuns,
       [](Calls& c) { c.memory_bytes = 0; },
       invalid,
       {"workspace_bytes: expected at least", "got 0"}},
      {"null workspace",
       kRuns,
       [](Calls& c) { c.memory = nullptr; },
       invalid,
       {"workspace: expected a pointer, got null"}},
      {"misaligned workspace",
       kRuns,
       [](Calls& c) { c.memory = c.workspace + 1; },
       invalid,
       {"workspace: expected a pointer aligned to 64 bytes", "4 bytes past"}},
  };
}

TEST(Validation, TheUnbrokenCallsSucceed) {
  Calls calls;
  for (Call call : kAll) EXPECT_EQ((calls.*call)(), ATTN_SUCCESS) << attn_last_error();
}

TEST(Validation, PackedKeysAreTaken) {
  for (const std::vector<std::int32_t>& bounds : {std::vector<std::int32_t>{0, 3, 7}, {0, 0, 0}, {0, 4, 8}}) {
    Calls calls;
    calls.pack(bounds);
    for (Call call : kRuns) EXPECT_EQ((calls.*call)(), ATTN_SUCCESS) << attn_last_error();
  }
}

TEST(Validation, EveryStorageTypeIsTaken) {
  for (attn_dtype_t dtype : {ATTN_DTYPE_FP16, ATTN_DTYPE_BF16}) {
    Calls calls;
    calls.additive.dtype = calls.pooling.dtype = dtype;
    for (Call call : kAll) EXPECT_EQ((calls.*call)(), ATTN_SUCCESS) << attn_last_error();
  }
}

// The workspace size of a shape at the limit exceeds any memory and is reported without wrapping around.
TEST(Validation, WorkspaceSizesDoNotWrapAround) {
  Calls calls;
  calls.additive = {sizeof calls.additive, ATTN_DTYPE_FP16, kMost / 16, 1, 1, 1, 1};
  calls.pass = ATTN_PASS_BACKWARD;
  EXPECT_EQ(calls.additive_size(), ATTN_SUCCESS) << attn_last_error();
  EXPECT_GE(calls.bytes, static_cast<std::size_t>(kMost) / 64 * 64);
}

TEST(Validation, EveryRuleNamesArgumentExpectedAndGot) {
  for (const Rule& rule : rules()) {
    for (std::size_t i = 0; i < rule.calls.size(); ++i) {
      SCOPED_TRACE(std::string(rule.name) + ", call " + std::to_string(i));
      Calls calls;
      rule.break_it(calls);
      EXPECT_EQ((calls.*rule.calls[i])(), rule.status) << attn_last_error();
      for (const std::string& part : rule.message)
        EXPECT_NE(std::string(attn_last_error()).find(part), std::string::npos)
            << "no \"" << part << "\" in \"" << attn_last_error() << '"';
    }
  }
}

TEST(Validation, EmptyTensorsNeedNoPointers) {
  Calls calls;
  calls.additive.B = calls.pooling.B = 0;
  calls.additive_in = {
      sizeof calls.additive_in, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  calls.pooling_in = {sizeof calls.pooling_in, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  EXPECT_EQ(calls.additive_forward(), ATTN_SUCCESS) << attn_last_error();
  EXPECT_EQ(calls.pooling_forward(), ATTN_SUCCESS) << attn_last_error();
}

}  // namespace

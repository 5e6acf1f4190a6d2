// SPDX-License-Identifier: Apache-2.0
//
// Each pointer of each argument struct is refused if it is not aligned to what it points at, the optional ones too.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "encoder/argument_calls.h"

namespace attn::test {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Moves one pointer after the other, unless it is null, by a byte. The members of `args` after struct_size are pointers, except the one at the
// offset `not_a_pointer`. call(args) must be valid but for that.
template <class Args, class Call>
void expect_each_pointer_refused(const Args& args, const Call& call, std::size_t not_a_pointer = kNone) {
  static_assert(sizeof(void*) == sizeof(std::size_t));
  for (std::size_t offset = sizeof args.struct_size; offset < sizeof args; offset += sizeof(void*)) {
    if (offset == not_a_pointer) continue;
    Args changed = args;
    const char* pointer = nullptr;
    std::memcpy(&pointer, reinterpret_cast<const char*>(&args) + offset, sizeof pointer);
    if (pointer == nullptr) continue;
    ++pointer;
    std::memcpy(reinterpret_cast<char*>(&changed) + offset, &pointer, sizeof pointer);
    EXPECT_EQ(call(changed), ATTN_INVALID_ARGUMENT) << offset;
    const std::string message = attn_last_error();
    EXPECT_NE(message.find(": expected a pointer aligned to "), std::string::npos) << message;
    EXPECT_NE(message.find(" bytes, got one 1 bytes past"), std::string::npos) << message;
  }
}

constexpr std::array<std::int32_t, 2> kLengths = {4, 0};
constexpr std::array<std::int32_t, 3> kStarts = {0, 4, 4};
// Lengths and cu_seqlens, which exclude each other.
constexpr std::array<std::pair<const std::int32_t*, const std::int32_t*>, 2> kKeyBounds = {
    {{kLengths.data(), nullptr}, {nullptr, kStarts.data()}}};

class Alignment : public testing::TestWithParam<attn_dtype_t> {
 protected:
  Calls c_;
  float* const f_ = c_.f;
};

TEST_P(Alignment, OfAdditiveAttention) {
  const attn_additive_desc_t desc{sizeof desc, GetParam(), 2, 3, 4, 5, 6};
  for (const auto& [lengths, starts] : kKeyBounds) {
    const attn_additive_forward_args_t in{sizeof in, f_, f_, f_, f_, lengths, starts, f_, f_, f_};
    expect_each_pointer_refused(in, [&](const auto& args) {
      return attn_additive_forward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
    const attn_additive_backward_args_t back{sizeof back, f_, f_, f_, f_, lengths, starts, f_,
                                             f_,          f_, f_, f_, f_, f_,      f_};
    expect_each_pointer_refused(back, [&](const auto& args) {
      return attn_additive_backward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
  }
}

TEST_P(Alignment, OfPooling) {
  const attn_pooling_desc_t desc{sizeof desc, GetParam(), 2, 4, 6};
  for (const auto& [lengths, starts] : kKeyBounds) {
    const attn_pooling_forward_args_t in{sizeof in, f_, f_, f_, lengths, starts, f_, f_};
    expect_each_pointer_refused(in, [&](const auto& args) {
      return attn_pooling_forward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
    const attn_pooling_backward_args_t back{sizeof back, f_, f_, f_, lengths, starts, f_, f_, f_, f_, f_};
    expect_each_pointer_refused(back, [&](const auto& args) {
      return attn_pooling_backward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
  }
}

TEST_P(Alignment, OfProjectedAttention) {
  attn_projected_desc_t desc = c_.projected;
  desc.dtype = GetParam();
  for (desc.shared_query = 0; desc.shared_query <= 1; ++desc.shared_query) {
    const attn_projected_forward_args_t in{sizeof in, f_, f_, f_, f_, f_, f_, kLengths.data(), f_, f_, c_.kept};
    expect_each_pointer_refused(in, [&](const auto& args) {
      return attn_projected_forward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
    const attn_projected_backward_args_t back{sizeof back, f_, f_, f_, f_, f_, f_, kLengths.data(), c_.kept, f_, f_,
                                              f_,          f_, f_, f_, f_, f_, f_};
    expect_each_pointer_refused(back, [&](const auto& args) {
      return attn_projected_backward(c_.handle, &desc, &args, c_.workspace, c_.workspace_bytes);
    });
  }
}

TEST_P(Alignment, OfTheLstm) {
  c_.lstm.dtype = GetParam();
  c_.remake_plan(1);
  expect_each_pointer_refused(c_.lstm_in, [&](const auto& args) {
    return attn_lstm_forward(c_.plan, &args, c_.workspace, c_.workspace_bytes);
  });
  expect_each_pointer_refused(c_.lstm_back, [&](const auto& args) {
    return attn_lstm_backward(c_.plan, &args, c_.workspace, c_.workspace_bytes);
  });
}

TEST_P(Alignment, OfTheEncoder) {
  attn_recurrent_desc_t desc{};
  desc.struct_size = sizeof desc;
  desc.dtype = GetParam();
  desc.B = 2, desc.T = 4, desc.E = 3, desc.H = 2;
  desc.layers = desc.directions = desc.training = 1;
  desc.positions = desc.T;
  attn_recurrent_t plan = nullptr;
  ASSERT_EQ(attn_recurrent_create(c_.handle, &desc, &plan), ATTN_SUCCESS) << attn_last_error();
  const attn_recurrent_forward_args_t in{sizeof in, f_, f_, kLengths.data(), 1, f_, f_, c_.kept};
  expect_each_pointer_refused(
      in, [&](const auto& args) { return attn_recurrent_forward(plan, &args, c_.workspace, c_.workspace_bytes); },
      offsetof(attn_recurrent_forward_args_t, seed));
  const attn_recurrent_backward_args_t back{sizeof back, f_, f_, kLengths.data(), 1, c_.kept, f_, f_, f_, f_};
  expect_each_pointer_refused(
      back, [&](const auto& args) { return attn_recurrent_backward(plan, &args, c_.workspace, c_.workspace_bytes); },
      offsetof(attn_recurrent_backward_args_t, seed));
  EXPECT_EQ(attn_recurrent_destroy(plan), ATTN_SUCCESS);
}

std::string name_of(const testing::TestParamInfo<attn_dtype_t>& info) {
  return info.param == ATTN_DTYPE_FP32 ? "fp32" : "bf16";
}
INSTANTIATE_TEST_SUITE_P(Storage, Alignment, testing::Values(ATTN_DTYPE_FP32, ATTN_DTYPE_BF16), name_of);

TEST(AlignmentOfLayers, IsThatOfTheirElements) {
  Calls c;
  const auto past = [](auto*& pointer) {
    pointer =
        reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(reinterpret_cast<std::uintptr_t>(pointer) + 1);
  };
  const auto expect_refused = [](attn_status_t status, const char* argument) {
    EXPECT_EQ(status, ATTN_INVALID_ARGUMENT) << argument;
    const std::string expected =
        std::string(argument) + ": expected a pointer aligned to 4 bytes, got one 1 bytes past";
    EXPECT_EQ(attn_last_error(), expected);
  };
  past(c.rows), past(c.d_rows), past(c.in), past(c.x), past(c.z_out), past(c.m), past(c.adam.skip);
  expect_refused(c.embedding_forward(), "rows");
  expect_refused(c.embedding_backward(), "d_rows");
  expect_refused(c.convert(), "in");
  expect_refused(c.dropout(), "in");
  expect_refused(c.find_nonfinite(), "numbers");
  expect_refused(c.dense_forward(), "x");
  expect_refused(c.cross_entropy(), "losses");
  expect_refused(c.adam_step(), "m");
}

}  // namespace
}  // namespace attn::test

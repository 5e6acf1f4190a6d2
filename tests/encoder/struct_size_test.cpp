// SPDX-License-Identifier: Apache-2.0
//
// Every struct of the C API may grow, so each entry point is called with the structs of older and newer callers. The
// sizes of the first release are recorded here; when a struct grows, its first size becomes a specialisation of
// kFirstSize.
#include <gtest/gtest.h>

#include <attn_cuda/attn_cuda.hpp>
#include <attn_cuda/recurrent.hpp>
#include <string>
#include <vector>

#include "encoder/base/first_sizes.h"

namespace attn {
namespace {

// Calls with an empty batch, which need no tensors except the parameters.
class StructSize : public testing::Test {
 protected:
  Handle handle{ATTN_BACKEND_CPU};
  Buffer<float> parameters{handle, std::vector<float>(4096)};
  Buffer<char> workspace{handle, std::vector<char>(1 << 16)};
  void* space() { return workspace.data(); }
  float* floats() { return parameters.data(); }

  attn_additive_desc_t additive{sizeof additive, ATTN_DTYPE_FP32, 0, 1, 1, 1, 1};
  attn_pooling_desc_t pooling{sizeof pooling, ATTN_DTYPE_FP32, 0, 1, 1};
  attn_projected_desc_t projected{sizeof projected, ATTN_DTYPE_FP32, 0, 1, 1, 1, 1, 1, 0};
  attn_lstm_desc_t lstm{sizeof lstm, ATTN_DTYPE_FP32, 0, 1, 1, 1, 1, 1};
  attn_recurrent_desc_t recurrent{};

  StructSize() {
    recurrent.struct_size = sizeof recurrent;
    recurrent.T = recurrent.E = recurrent.H = recurrent.positions = 1;
    recurrent.layers = recurrent.directions = recurrent.training = 1;
  }

  template <class Args>
  Args with_parameters() {
    Args args{};
    args.kernel = args.recurrent = args.bias = floats();
    return args;
  }
};

template <class Struct, class Call>
void expect_growth(const char* argument, std::size_t first_size, const Struct& valid, const Call& call) {
  struct {
    Struct known;
    unsigned char unknown[16];
  } caller{valid, {}};
  const auto status = [&](std::size_t size) {
    caller.known.struct_size = size;
    return call(&caller.known);
  };
  const std::string prefix = std::string(argument) + ".struct_size: expected ";
  const auto expect_rejected = [&](std::size_t size) {
    EXPECT_EQ(status(size), ATTN_INVALID_ARGUMENT) << size;
    EXPECT_EQ(std::string(attn_last_error()).rfind(prefix, 0), 0U) << attn_last_error();
  };

  EXPECT_EQ(internal::kFirstSize<Struct>, first_size);
  EXPECT_EQ(status(sizeof(Struct)), ATTN_SUCCESS) << attn_last_error();
  EXPECT_EQ(status(first_size), ATTN_SUCCESS) << attn_last_error();
  EXPECT_EQ(status(sizeof(Struct) + 16), ATTN_SUCCESS) << attn_last_error();
  caller.unknown[15] = 1;
  EXPECT_EQ(status(sizeof(Struct) + 15), ATTN_SUCCESS) << attn_last_error();
  expect_rejected(sizeof(Struct) + 16);
  expect_rejected(first_size - 1);
  expect_rejected(0);
  expect_rejected(SIZE_MAX);
}

TEST_F(StructSize, Additive) {
  std::size_t bytes = 0;
  expect_growth("desc", 56, additive, [&](const auto* desc) {
    return attn_additive_workspace_size(handle.get(), desc, ATTN_PASS_BACKWARD, &bytes);
  });
  expect_growth("args", 80, attn_additive_forward_args_t{}, [&](const auto* args) {
    return attn_additive_forward(handle.get(), &additive, args, space(), workspace.size());
  });
  expect_growth("args", 120, attn_additive_backward_args_t{}, [&](const auto* args) {
    return attn_additive_backward(handle.get(), &additive, args, space(), workspace.size());
  });
}

TEST_F(StructSize, Pooling) {
  std::size_t bytes = 0;
  expect_growth("desc", 40, pooling, [&](const auto* desc) {
    return attn_pooling_workspace_size(handle.get(), desc, ATTN_PASS_BACKWARD, &bytes);
  });
  expect_growth("args", 64, attn_pooling_forward_args_t{}, [&](const auto* args) {
    return attn_pooling_forward(handle.get(), &pooling, args, space(), workspace.size());
  });
  expect_growth("args", 88, attn_pooling_backward_args_t{}, [&](const auto* args) {
    return attn_pooling_backward(handle.get(), &pooling, args, space(), workspace.size());
  });
}

TEST_F(StructSize, Projected) {
  std::size_t bytes = 0;
  expect_growth("desc", 72, projected, [&](const auto* desc) {
    return attn_projected_workspace_size(handle.get(), desc, ATTN_PASS_BACKWARD, &bytes);
  });
  attn_projected_forward_args_t forward{};
  forward.w_q = forward.w_k = forward.v = floats();
  expect_growth("args", 88, forward, [&](const auto* args) {
    return attn_projected_forward(handle.get(), &projected, args, space(), workspace.size());
  });
  attn_projected_backward_args_t backward{};
  backward.w_q = backward.w_k = backward.v = floats();
  expect_growth("args", 144, backward, [&](const auto* args) {
    return attn_projected_backward(handle.get(), &projected, args, space(), workspace.size());
  });
}

TEST_F(StructSize, Lstm) {
  attn_lstm_t plan = nullptr;
  expect_growth("desc", 56, lstm, [&](const auto* desc) {
    attn_lstm_destroy(plan);
    return attn_lstm_create(handle.get(), desc, &plan);
  });
  ASSERT_EQ(attn_lstm_create(handle.get(), &lstm, &plan), ATTN_SUCCESS);
  expect_growth("args", 64, with_parameters<attn_lstm_forward_args_t>(),
                [&](const auto* args) { return attn_lstm_forward(plan, args, space(), workspace.size()); });
  auto backward = with_parameters<attn_lstm_backward_args_t>();
  backward.d_kernel = backward.d_recurrent = backward.d_bias = floats();
  expect_growth("args", 104, backward,
                [&](const auto* args) { return attn_lstm_backward(plan, args, space(), workspace.size()); });
  attn_lstm_destroy(plan);
}

TEST_F(StructSize, Recurrent) {
  attn_recurrent_t plan = nullptr;
  expect_growth("desc", 104, recurrent, [&](const auto* desc) {
    attn_recurrent_destroy(plan);
    return attn_recurrent_create(handle.get(), desc, &plan);
  });
  ASSERT_EQ(attn_recurrent_create(handle.get(), &recurrent, &plan), ATTN_SUCCESS);
  attn_recurrent_forward_args_t forward{};
  forward.parameters = floats();
  expect_growth("args", 64, forward,
                [&](const auto* args) { return attn_recurrent_forward(plan, args, space(), workspace.size()); });
  attn_recurrent_backward_args_t backward{};
  backward.parameters = floats();
  backward.d_parameters = floats();
  expect_growth("args", 80, backward,
                [&](const auto* args) { return attn_recurrent_backward(plan, args, space(), workspace.size()); });
  attn_recurrent_destroy(plan);
}

TEST_F(StructSize, Adam) {
  attn_adam_desc_t adam{};
  adam.rate = adam.scale = 1;
  adam.beta_1 = adam.beta_2 = 0.5;
  adam.step = 1;
  expect_growth("desc", 48, adam, [&](const auto* desc) {
    return attn_adam_step(handle.get(), desc, 0, nullptr, nullptr, nullptr, nullptr);
  });
}

}  // namespace
}  // namespace attn

// SPDX-License-Identifier: Apache-2.0
//
// C++17: pooling with w = 0 and b = 0 is the mean; a refused call throws.
#include <attn_cuda/attn_cuda.hpp>
#include <cstdio>
#include <vector>

int main() {
  const attn::Handle handle;
  const attn::Buffer<float> x(handle, std::vector<float>{1, 10, 3, 30});  // [B=1, T=2, D=2]
  const attn::Buffer<float> w(handle, std::vector<float>{0, 0});          // [2]
  const attn::Buffer<float> o(handle, 2);                                 // [1, 2]
  attn::AttentionPooling pooling(handle, {1, 2, 2});

  attn_pooling_forward_args_t args{};
  args.x = x.data();
  args.w = w.data();
  args.o = o.data();
  pooling.forward(args);
  if (o.download() != std::vector<float>{2, 20}) return 1;

  try {
    args.x = nullptr;
    pooling.forward(args);
  } catch (const attn::Error& error) {
    std::puts(error.what());
    return error.status() == ATTN_INVALID_ARGUMENT ? 0 : 1;
  }
  return 1;
}

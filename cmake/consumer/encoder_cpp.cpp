// SPDX-License-Identifier: Apache-2.0
//
// C++17: projected attention whose scores are all 0, since v is, gives the mean.
#include <attn_cuda/encoder.hpp>
#include <cstdio>
#include <vector>

int main() try {
  const attn::Handle handle;
  const attn::Buffer<float> x(handle, std::vector<float>{1, 10, 3, 30});  // [B=1, T=2, D=2]
  const attn::Buffer<float> h(handle, std::vector<float>{1});             // [1, Q=1, H=1]
  const attn::Buffer<float> w_q(handle, std::vector<float>{1});           // [A=1, 1]
  const attn::Buffer<float> w_k(handle, std::vector<float>{1, 1});        // [1, 2]
  const attn::Buffer<float> v(handle, std::vector<float>{0});             // [1]
  const attn::Buffer<float> o(handle, 2);                                 // [1, 1, 2]
  attn::ProjectedAttention attention(handle, {1, 1, 2, 1, 2, 1});

  attn_projected_forward_args_t args{};
  args.x = x.data();
  args.h = h.data();
  args.w_q = w_q.data();
  args.w_k = w_k.data();
  args.v = v.data();
  args.o = o.data();
  attention.forward(args);
  return o.download() == std::vector<float>{2, 20} ? 0 : 1;
} catch (const attn::Error& error) {
  std::puts(error.what());
  return 1;
}

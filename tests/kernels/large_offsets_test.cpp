// SPDX-License-Identifier: Apache-2.0
//
// Rows more than 2^31 elements after the start of their tensor, where a 32-bit index would overflow. All but three rows
// are padding, which is never read, so hardly any of the memory is touched. An item there gives the same bits as in a
// tensor of its own.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "attn_cuda/attn_cuda.hpp"
#include "support/random.h"

namespace attn::test {
namespace {

using Results = std::vector<std::vector<float>>;

constexpr std::int64_t kFar = std::int64_t{1} << 31;
constexpr std::int32_t kKeys = 3;  // the valid keys of the item

// A batch of one item, or with `before` more items before it, which are all padding.
class Item {
 public:
  Item(const Handle& handle, std::int64_t before) : handle_(&handle), before_(before) {}

  std::int64_t B() const { return before_ + 1; }
  Buffer<std::int32_t> lengths() const {
    std::vector<std::int32_t> lengths(static_cast<std::size_t>(B()), 0);
    lengths.back() = kKeys;
    return {*handle_, lengths};
  }
  // The item's values in a tensor [B, size, ...]. The memory ends after the item's valid rows.
  Buffer<float> tensor(std::int64_t size, const std::vector<float>& values) const {
    const std::int64_t before = before_ * size;
    Buffer<float> all(*handle_, static_cast<std::size_t>(before) + values.size());
    check(attn_copy_from_host(handle_->get(), all.data() + before, values.data(), values.size() * sizeof(float)));
    if (before > 0 && before < kFar) check(attn_fill_zero(handle_->get(), all.data(), before * sizeof(float)));
    return all;
  }
  Buffer<float> room(std::int64_t size) const { return {*handle_, static_cast<std::size_t>(B() * size)}; }
  std::vector<float> of(const Buffer<float>& tensor) const {
    const std::vector<float> all = tensor.download();
    return {all.end() - static_cast<std::ptrdiff_t>(all.size()) / B(), all.end()};
  }

 private:
  const Handle* handle_;
  std::int64_t before_;
};

std::vector<float> values(std::uint64_t seed, std::int64_t count) { return Random(seed).normal(count, 0.25f); }

// The forward pass, and the backward pass for those gradients that are small.
Results additive(std::int64_t before, std::int64_t Q, std::int64_t T, std::int64_t A, std::int64_t D, bool backward) {
  const Handle handle(ATTN_BACKEND_CUDA);
  const Item item(handle, before);
  AdditiveAttention attention(handle, {item.B(), Q, T, A, D});
  const Buffer<float> q = item.tensor(Q * A, values(1, Q * A)), v(handle, values(2, A));
  const Buffer<float> x = item.tensor(T * D, values(3, kKeys * D));
  // The same tensor serves as keys where possible: there is memory for only one.
  const Buffer<float> keys = A == D ? Buffer<float>() : item.tensor(T * A, values(4, kKeys * A));
  const float* const k = A == D ? x.data() : keys.data();
  const Buffer<std::int32_t> lengths = item.lengths();
  const Buffer<float> o = item.room(Q * D), lse = item.room(Q);
  attention.forward({0, q.data(), k, v.data(), x.data(), lengths.data(), nullptr, o.data(), nullptr, lse.data()});
  Results results = {item.of(o), item.of(lse)};
  if (!backward) return results;
  const Buffer<float> d_o = item.tensor(Q * D, values(5, Q * D)), d_q = item.room(Q * A), d_v(handle, v.size());
  attention.backward({0, q.data(), k, v.data(), x.data(), lengths.data(), nullptr, lse.data(), nullptr, d_o.data(),
                      nullptr, d_q.data(), nullptr, d_v.data(), nullptr});
  results.push_back(item.of(d_q));
  results.push_back(d_v.download());
  return results;
}

Results pooling(std::int64_t before, std::int64_t T, std::int64_t D) {
  const Handle handle(ATTN_BACKEND_CUDA);
  const Item item(handle, before);
  AttentionPooling attention(handle, {item.B(), T, D});
  const Buffer<float> x = item.tensor(T * D, values(1, kKeys * D)), w(handle, values(2, D));
  const Buffer<std::int32_t> lengths = item.lengths();
  const Buffer<float> o = item.room(D), d_o = item.tensor(D, values(3, D)), d_w(handle, w.size());
  attention.forward({0, x.data(), w.data(), nullptr, lengths.data(), nullptr, o.data(), nullptr});
  attention.backward(
      {0, x.data(), w.data(), nullptr, lengths.data(), nullptr, d_o.data(), nullptr, nullptr, d_w.data(), nullptr});
  return {item.of(o), d_w.download()};
}

void expect_same_bits(const Results& far, const Results& near) {
  ASSERT_EQ(far.size(), near.size());
  for (std::size_t i = 0; i < far.size(); ++i) {
    ASSERT_EQ(far[i].size(), near[i].size());
    EXPECT_EQ(std::memcmp(far[i].data(), near[i].data(), far[i].size() * sizeof(float)), 0) << "result " << i;
  }
}

class LargeOffsets : public testing::Test {
 protected:
  void SetUp() override {
    std::size_t free = 0, total = 0;
    ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    if (free < std::size_t{20} << 30) GTEST_SKIP() << "needs 20 GB of device memory";
  }
};

constexpr std::int64_t kWidth = 2048, kLong = kFar / kWidth;

TEST_F(LargeOffsets, OneQuery) {
  expect_same_bits(additive(1, 1, kLong, kWidth, kWidth, true), additive(0, 1, kLong, kWidth, kWidth, true));
}

TEST_F(LargeOffsets, SeveralQueries) {
  // Several items before it, because the workspace holds encoded keys of the whole batch.
  constexpr std::int64_t kBefore = 8, kShort = kLong / kBefore;
  expect_same_bits(additive(kBefore, 3, kShort, kWidth, kWidth, false), additive(0, 3, kShort, kWidth, kWidth, false));
  expect_same_bits(additive(1, 3, kFar >> 15, 4, 1 << 15, true), additive(0, 3, kFar >> 15, 4, 1 << 15, true));
}

TEST_F(LargeOffsets, Pooling) { expect_same_bits(pooling(1, kLong, kWidth), pooling(0, kLong, kWidth)); }

}  // namespace
}  // namespace attn::test

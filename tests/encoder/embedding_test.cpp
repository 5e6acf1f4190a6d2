// SPDX-License-Identifier: Apache-2.0
//
// The embedding and its gradient against the reference, with rows of each storage type.
#include "encoder/layer_runs.h"
#include "reference/layers.h"
#include "support/random.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

constexpr std::int64_t kSizes[] = {0, 1, 3, 31, 32, 33, 127, 1000};

class Embedding : public LayerTest {
 protected:
  // Rounds values to the storage type, so that the backend and the reference get the same numbers.
  std::vector<float> stored(const std::vector<float>& values) const { return narrow(rounded(dtype, widen(values))); }
};

TEST_P(Embedding, CopiesRows) {
  for (const std::int64_t N : kSizes)
    for (const std::int64_t E : {1, 7, 33, 128}) {
      constexpr std::int32_t kV = 37;
      Random random(1);
      const std::vector<std::int32_t> ids = random.integers(N, 0, kV - 1);
      const std::vector<float> table = random.normal(kV * E);
      Tensors tensors(handle, options);
      void* const rows = tensors.out(N * E, dtype);
      check(attn_embedding_forward(handle.get(), dtype, N, kV, E, tensors.lengths(ids), tensors.in(table), rows));
      tensors.expect_intact();
      const std::vector<float> expected = narrow(rounded(dtype, reference::embedding_forward(E, ids, widen(table))));
      EXPECT_TRUE(same_bits(tensors.values(rows), expected)) << N << " " << E;
    }
}

TEST_P(Embedding, GradientSumsOverRepeatedIds) {
  for (const std::int64_t N : kSizes)
    for (const std::int64_t E : {1, 7, 33, 128})
      for (const std::int32_t V : {1, 5, 2000}) {
        Random random(2);
        const std::vector<std::int32_t> ids = random.integers(N, 0, V - 1);
        const std::vector<float> d_rows = stored(random.normal(N * E));
        Tensors tensors(handle, options);
        float* const d_table = tensors.out(V * E);
        embedding_backward(handle, tensors, dtype, N, V, E, tensors.lengths(ids), tensors.in(d_rows, dtype), d_table);
        tensors.expect_intact();
        EXPECT_TRUE(close(Operation::embedding, tensors.values(d_table),
                          reference::embedding_backward(V, E, ids, widen(d_rows)), {V, E}));
      }
}

// A rule that gives the id at position n of N.
struct Text {
  const char* name;
  std::int32_t (*id)(std::int64_t n, std::int64_t N);
};

// After the sort by id, the runs of equal ids end before, at and after multiples of 32, or extend over many of them.
const Text kTexts[] = {
    {"one id", [](std::int64_t, std::int64_t) { return 3; }},
    {"runs of 31", [](std::int64_t n, std::int64_t) { return static_cast<std::int32_t>(n / 31); }},
    {"runs of 32", [](std::int64_t n, std::int64_t) { return static_cast<std::int32_t>(n / 32); }},
    {"runs of 65, backwards", [](std::int64_t n, std::int64_t N) { return static_cast<std::int32_t>((N - n) / 65); }},
    {"mostly padding",
     [](std::int64_t n, std::int64_t) { return n % 200 < 180 ? 0 : static_cast<std::int32_t>(n % 97); }},
    {"padding at the end of the alphabet", [](std::int64_t n, std::int64_t) { return n % 3 == 0 ? 7 : 700; }},
};

TEST_P(Embedding, GradientOfLongRuns) {
  constexpr std::int32_t kV = 701;
  constexpr std::int64_t kShapes[][2] = {{32, 1}, {33, 129}, {64, 260}, {320, 129}, {321, 1}, {2000, 128}, {20000, 5}};
  for (const Text& text : kTexts)
    for (const auto& [N, E] : kShapes) {
      SCOPED_TRACE(testing::Message() << text.name << ", N " << N << ", E " << E);
      std::vector<std::int32_t> ids;
      for (std::int64_t n = 0; n < N; ++n) ids.push_back(text.id(n, N) % kV);
      const std::vector<float> d_rows = stored(Random(3).normal(N * E));
      Tensors tensors(handle, options);
      float *const d_table = tensors.out(kV * E), *const again = tensors.out(kV * E);
      for (float* const result : {d_table, again})
        embedding_backward(handle, tensors, dtype, N, kV, E, tensors.lengths(ids), tensors.in(d_rows, dtype), result);
      tensors.expect_intact();
      EXPECT_TRUE(close(Operation::embedding, tensors.values(d_table),
                        reference::embedding_backward(kV, E, ids, widen(d_rows)), {kV, E}));
      EXPECT_TRUE(same_bits(tensors.values(again), tensors.values(d_table)));
    }
}

// NaN and infinities affect only their own row and column.
TEST_P(Embedding, GradientKeepsNanWhereItBelongs) {
  constexpr std::int64_t kN = 100, kV = 5, kE = 6;
  std::vector<std::int32_t> ids;
  for (std::int64_t n = 0; n < kN; ++n) ids.push_back(static_cast<std::int32_t>(n % 4));
  std::vector<float> d_rows = stored(Random(4).normal(kN * kE));
  d_rows[50 * kE + 3] = kNan;
  d_rows[51 * kE + 1] = std::numeric_limits<float>::infinity();
  Tensors tensors(handle, options);
  float* const d_table = tensors.out(kV * kE);
  embedding_backward(handle, tensors, dtype, kN, kV, kE, tensors.lengths(ids), tensors.in(d_rows, dtype), d_table);
  EXPECT_TRUE(close(Operation::embedding, tensors.values(d_table),
                    reference::embedding_backward(kV, kE, ids, widen(d_rows)), {kV, kE}));
}

INSTANTIATE_TEST_SUITE_P(Runs, Embedding, testing::ValuesIn(layer_runs(kAnyStorage)),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// The reference compared with tests/data/make_fixtures.py, which computes the same results in float64 with vectorised
// numpy.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <sstream>
#include <string>

#include "reference/attention.h"
#include "reference/layers.h"
#include "reference/lstm.h"
#include "support/tolerance.h"

namespace attn::test {
namespace {

using Vector = std::vector<double>;
using reference::Sum;

class Numpy : public ::testing::Test {
 protected:
  // Runs the script for the operation that the test is named after.
  void SetUp() override {
    if (std::string(ATTN_PYTHON).empty()) GTEST_SKIP() << "no Python interpreter was found when this was configured";
    const std::string operation = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    const std::string command = "'" ATTN_PYTHON "' '" ATTN_TEST_DATA "/make_fixtures.py' " + operation;
    std::FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr) << command;
    std::string text;
    for (int character; (character = std::fgetc(pipe)) != EOF;) text += static_cast<char>(character);
    const int status = pclose(pipe);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << ATTN_PYTHON << " has no numpy";
    ASSERT_EQ(status, 0) << command;

    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name, word;
      words >> name;
      for (Vector& tensor = tensors_[name]; words >> word;) tensor.push_back(std::strtod(word.c_str(), nullptr));
    }
  }

  const Vector& tensor(const std::string& name) { return tensors_.at(name); }
  std::int64_t size(std::size_t i) { return static_cast<std::int64_t>(tensor("sizes").at(i)); }
  std::vector<std::int32_t> lengths() { return {tensor("lengths").begin(), tensor("lengths").end()}; }

  // Allows for rounding: both sides round every operation, in different orders.
  void expect_equal(const std::string& name, const Sum& got) {
    SCOPED_TRACE(name);
    const Vector& expected = tensor(name);
    ASSERT_GT(expected.size(), 0U);
    ASSERT_EQ(got.value.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (std::isinf(expected[i]))
        EXPECT_EQ(got.value[i], expected[i]) << "element " << i;
      else
        EXPECT_NEAR(got.value[i], expected[i], 4 * std::numeric_limits<double>::epsilon() * got.terms[i])
            << "element " << i;
  }

 private:
  std::map<std::string, Vector> tensors_;
};

TEST_F(Numpy, additive) {
  const auto out = reference::additive_forward(
      {size(0), size(1), size(2), size(3), size(4), tensor("q"), tensor("k"), tensor("v"), tensor("x"), lengths()});
  expect_equal("o", out.o);
  expect_equal("weights", out.weights);
  expect_equal("lse", out.lse);
}

TEST_F(Numpy, pooling) {
  const auto out =
      reference::pooling_forward({size(0), size(1), size(2), tensor("x"), tensor("w"), tensor("b"), lengths()});
  expect_equal("o", out.o);
  expect_equal("weights", out.weights);
}

TEST_F(Numpy, projected) {
  reference::ProjectedInput input{size(0),       size(1), size(2),     size(3),     size(4),
                                  size(5),       false,   tensor("x"), tensor("h"), tensor("w_q"),
                                  tensor("w_k"), {},      tensor("v"), lengths()};
  auto out = reference::projected_forward(input);
  expect_equal("o", out.o);
  expect_equal("weights", out.weights);

  input.shared_query = true;
  input.h = tensor("shared_h");
  out = reference::projected_forward(input);
  expect_equal("shared_o", out.o);
  expect_equal("shared_weights", out.weights);
}

TEST_F(Numpy, lstm) {
  expect_equal("y", reference::lstm_forward({size(0), size(1), size(2), size(3), 2, tensor("x"), tensor("kernel"),
                                             tensor("recurrent"), tensor("bias"), lengths()}));
}

TEST_F(Numpy, embedding) {
  const std::vector<std::int32_t> ids{tensor("ids").begin(), tensor("ids").end()};
  expect_equal("rows", with_scale(reference::embedding_forward(size(1), ids, tensor("table"))));
  expect_equal("d_table", reference::embedding_backward(size(0), size(1), ids, tensor("d_rows")));
}

TEST_F(Numpy, dense) {
  expect_equal("z", reference::dense_forward(size(0), size(1), tensor("x"), tensor("w"), tensor("b").at(0)));
}

TEST_F(Numpy, cross_entropy) {
  const Vector& z = tensor("z");
  const auto out = reference::sigmoid_cross_entropy(z, tensor("y"));
  Sum losses = with_scale(out.losses);
  for (std::size_t i = 0; i < z.size(); ++i) losses.terms[i] += 2 * std::abs(z[i]);
  expect_equal("losses", losses);
  expect_equal("d_z", with_scale(out.d_z, 1 / static_cast<double>(z.size())));
}

TEST_F(Numpy, adam) {
  const Vector& settings = tensor("settings");
  const std::int64_t steps = size(0), N = size(1);
  Vector p = tensor("p"), m(N, 0), s(N, 0), trace;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const auto g = tensor("g").begin() + (step - 1) * N;
    reference::adam_step({settings[0], settings[1], settings[2], settings[3]}, step, {g, g + N}, p, m, s);
    trace.insert(trace.end(), p.begin(), p.end());
  }
  expect_equal("trace", with_scale(trace, 1));
  expect_equal("m", with_scale(m, 1));
  expect_equal("s", with_scale(s));
}

}  // namespace
}  // namespace attn::test

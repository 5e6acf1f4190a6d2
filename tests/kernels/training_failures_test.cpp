// SPDX-License-Identifier: Apache-2.0
//
// Each call to CUDA, cuDNN and cuBLAS that a training program makes fails once: the program learns which call failed, nothing
// leaks, and the existing objects remain usable. Runs with VGPU_LEAKS=1, which lists the leaks when the program ends.
#include <cuda_runtime_api.h>

#include <optional>
#include <regex>
#include <set>

#include "cudart/find_vgpu.h"
#include "kernels/training_step.h"

namespace attn::test {
namespace {

using Names = std::set<std::string>;

struct Mechanism {
  const char* name;
  attn_attention_t attention;
  Names calls;  // some calls that must be among those that failed
};

void PrintTo(const Mechanism& mechanism, std::ostream* out) { *out << mechanism.name; }

class TrainingFailures : public testing::TestWithParam<Mechanism> {
 protected:
  TrainingFailures() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~TrainingFailures() override { cudaStreamDestroy(stream_); }

  // Runs a program up to the results of a step. Objects of an earlier attempt are kept.
  struct Program {
    std::optional<Handle> handle;
    std::optional<TrainingStep> step;
  };
  void prepare(Program& program) const {
    if (!program.handle) program.handle.emplace(ATTN_BACKEND_CUDA);
    program.handle->set_stream(stream_);
    if (!program.step) program.step.emplace(*program.handle, desc_);
    program.step->start(batch_.input.parameters);
    program.step->load(batch_);
  }
  StepResult train(Program& program) const {
    prepare(program);
    program.step->run(batch_, 1);
    return program.step->result();
  }

  // Expects an error, and collects the name of the failed call from its message.
  template <class Body>
  void expect_failure(const Body& body) {
    try {
      body();
      ADD_FAILURE() << "expected an error, got none";
    } catch (const Error& error) {
      EXPECT_NE(error.status(), ATTN_SUCCESS);
      const std::string message = attn_last_error();
      std::smatch parts;
      if (std::regex_match(message, parts, std::regex("([A-Za-z_0-9]+): .+")))
        failed_.insert(parts[1]);
      else
        ADD_FAILURE() << "expected the name of a call and an error, got \"" << message << '"';
    }
  }

  template <class Body>
  unsigned long long calls_of(const Body& body) const {
    const unsigned long long before = calls_();
    body();
    return calls_() - before;
  }

  static std::size_t free_memory() {
    std::size_t free = 0, total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  }

  decltype(&vgpu_calls) calls_ = find_vgpu<decltype(vgpu_calls)>("vgpu_calls");
  decltype(&vgpu_fail_call) fail_call_ = find_vgpu<decltype(vgpu_fail_call)>("vgpu_fail_call");
  const attn_recurrent_desc_t desc_ = trained(GetParam().attention);
  const StepBatch batch_{desc_, {6, 0, 3, 1}, 1};
  cudaStream_t stream_ = nullptr;
  Names failed_;
};

TEST_P(TrainingFailures, AreReportedLeakNothingAndPass) {
  const std::size_t free = free_memory();
  StepResult expected;
  const auto undisturbed = [&] {
    Program program;
    expected = train(program);
  };
  const unsigned long long count = calls_of(undisturbed);
  // Calls that are made only once per process have been made by now.
  EXPECT_EQ(calls_of(undisturbed), count);
  for (unsigned long long n = 1; n <= count; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << count);
    {
      Program program;
      fail_call_(n);
      expect_failure([&] { train(program); });
      fail_call_(0);
      EXPECT_EQ(cudaGetLastError(), cudaSuccess) << "left for another call to report";
      EXPECT_TRUE(train(program).same_bits_as(expected));
    }
    EXPECT_EQ(free_memory(), free);
  }
  for (const std::string& name : GetParam().calls) EXPECT_EQ(failed_.count(name), 1u) << name;
}

// Nothing is executed during a capture, so this checks that the state of the host stays consistent.
TEST_P(TrainingFailures, EndACaptureAndNoMore) {
  Program program;
  const StepResult expected = train(program);
  const unsigned long long count = calls_of([&] { program.step->run(batch_, 1); });
  for (unsigned long long n = 1; n <= count; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n << " of " << count);
    ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
    fail_call_(n);
    expect_failure([&] { program.step->run(batch_, 1); });
    fail_call_(0);
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
  }
  EXPECT_TRUE(train(program).same_bits_as(expected));
}

const Names kAlways = {
    "cudaMalloc",     "cudaMemcpyAsync", "cudaMemsetAsync",         "cudaStreamSynchronize",      "cudnnCreate",
    "cublasLtCreate", "cudnnRNNForward", "cudnnRNNBackwardData_v8", "cudnnRNNBackwardWeights_v8", "dropout",
    "dense_backward", "adam_step"};

Names with(Names names, const Names& more) {
  names.insert(more.begin(), more.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(
    All, TrainingFailures,
    testing::Values(Mechanism{"pooling", ATTN_ATTENTION_POOLING, kAlways},
                    Mechanism{"additive", ATTN_ATTENTION_ADDITIVE,
                              with(kAlways, {"cublasLtMatmul", "cublasLtMatmulAlgoGetHeuristic"})}),
    [](const testing::TestParamInfo<Mechanism>& mechanism) { return std::string(mechanism.param.name); });

}  // namespace
}  // namespace attn::test

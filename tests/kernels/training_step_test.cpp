// SPDX-License-Identifier: Apache-2.0
//
// A training step only enqueues work on one stream: after the first step it neither allocates nor waits, so it can be
// captured in a graph, and a replayed graph gives the same bits as plain calls.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <optional>

#include "cudart/find_vgpu.h"
#include "kernels/training_step.h"

namespace attn::test {
namespace {

struct Mechanism {
  const char* name;
  attn_attention_t attention;
};

void PrintTo(const Mechanism& mechanism, std::ostream* out) { *out << mechanism.name; }

// The number of the step, by which Adam corrects its moments. It is part of a captured graph, as the lengths are, so plain
// steps that are compared with a graph use the same one.
constexpr std::int64_t kNumber = 1;

using Counter = unsigned long long(void);

std::optional<unsigned long long> count_of(Counter* counter) {
  return counter == nullptr ? std::nullopt : std::optional(counter());
}

// Counters that calls do not change if they neither allocate nor wait.
struct Traces {
  std::optional<unsigned long long> allocations = count_of(find_vgpu<Counter>("vgpu_allocations")),
                                    waits = count_of(find_vgpu<Counter>("vgpu_synchronizations"));
  std::size_t free_memory = 0;

  Traces() {
    std::size_t total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free_memory, &total), cudaSuccess);
  }
};

class TrainingSteps : public testing::TestWithParam<Mechanism> {
 protected:
  TrainingSteps() {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    handle_.set_stream(stream_);
  }
  ~TrainingSteps() override {
    for (cudaGraphExec_t graph : graphs_) cudaGraphExecDestroy(graph);
    cudaStreamDestroy(stream_);
  }

  // The graph of a step on this batch's lengths and seed.
  cudaGraphExec_t captured(TrainingStep& step, const StepBatch& batch) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaSuccess);
    EXPECT_NO_THROW(step.run(batch, kNumber));
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
    EXPECT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    graphs_.push_back(exec);
    return exec;
  }

  const attn_recurrent_desc_t desc_ = trained(GetParam().attention);
  // Two batches with padding, one of them with a full and an empty item, and one without padding.
  const StepBatch ragged_{desc_, {6, 0, 3, 1}, 1}, other_{desc_, {2, 6, 5, 4}, 2}, whole_{desc_, {}, 3};
  cudaStream_t stream_ = nullptr;
  Handle handle_{ATTN_BACKEND_CUDA};
  std::vector<cudaGraphExec_t> graphs_;
};

TEST_P(TrainingSteps, FollowTheReference) {
  TrainingStep step(handle_, desc_);
  step.start(ragged_.input.parameters);
  ReferenceTraining reference(desc_, ragged_.input.parameters);
  std::int64_t number = 0;
  for (const StepBatch* batch : {&ragged_, &other_, &whole_, &ragged_}) {
    step.load(*batch);
    step.run(*batch, ++number);
    const Vector expected = reference.step(*batch, number);
    const std::vector<float> got = step.result().losses;
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t b = 0; b < got.size(); ++b) EXPECT_NEAR(got[b], expected[b], 2e-5 * expected[b]) << number;
  }
}

TEST_P(TrainingSteps, AllocateNothingAndWaitForNothingAfterTheFirst) {
  TrainingStep step(handle_, desc_);
  step.start(ragged_.input.parameters);
  step.load(whole_);
  step.run(whole_, 1);
  handle_.synchronize();
  if (!count_of(find_vgpu<Counter>("vgpu_allocations")))
    std::printf("left out: how often a step allocates and waits, which a GPU does not count\n");
  const Traces before;
  step.run(whole_, 2);
  step.run(whole_, 3);
  step.run(StepBatch(desc_, {5, 6, 0, 2}, 3), 4);
  const Traces after;
  EXPECT_EQ(after.allocations, before.allocations);
  EXPECT_EQ(after.waits, before.waits);
  EXPECT_EQ(after.free_memory, before.free_memory);
  handle_.synchronize();
}

TEST_P(TrainingSteps, AReplayedGraphGivesTheBitsOfPlainSteps) {
  TrainingStep plain(handle_, desc_), replayed(handle_, desc_);
  for (TrainingStep* step : {&plain, &replayed}) {
    step->start(ragged_.input.parameters);
    step->load(ragged_);
  }
  plain.run(ragged_, kNumber);  // loads the kernels
  plain.start(ragged_.input.parameters);
  const cudaGraphExec_t graph = captured(replayed, ragged_);
  StepResult before{};
  for (int n = 0; n < 3; ++n) {
    plain.run(ragged_, kNumber);
    ASSERT_EQ(cudaGraphLaunch(graph, stream_), cudaSuccess);
    const StepResult expected = plain.result();
    EXPECT_TRUE(replayed.result().same_bits_as(expected)) << "step " << n;
    EXPECT_FALSE(expected.same_bits_as(before)) << "step " << n << " did nothing";
    before = expected;
  }
}

// As in a training loop: one graph for each set of lengths, all updating the same parameters.
TEST_P(TrainingSteps, GraphsOfTwoSetsOfLengthsTakeTurns) {
  TrainingStep plain(handle_, desc_), replayed(handle_, desc_);
  for (TrainingStep* step : {&plain, &replayed}) {
    step->start(ragged_.input.parameters);
    step->load(ragged_);
  }
  plain.run(ragged_, kNumber);  // loads the kernels
  plain.start(ragged_.input.parameters);
  std::map<std::vector<std::int32_t>, cudaGraphExec_t> graphs;
  for (const StepBatch* batch : {&ragged_, &other_}) graphs[batch->input.lengths] = captured(replayed, *batch);
  for (const StepBatch* batch : {&ragged_, &other_, &other_, &ragged_}) {
    for (TrainingStep* step : {&plain, &replayed}) step->load(*batch);
    plain.run(*batch, kNumber);
    ASSERT_EQ(cudaGraphLaunch(graphs.at(batch->input.lengths), stream_), cudaSuccess);
    EXPECT_TRUE(replayed.result().same_bits_as(plain.result()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, TrainingSteps,
                         testing::Values(Mechanism{"pooling", ATTN_ATTENTION_POOLING},
                                         Mechanism{"additive", ATTN_ATTENTION_ADDITIVE}),
                         [](const testing::TestParamInfo<Mechanism>& mechanism) {
                           return std::string(mechanism.param.name);
                         });

}  // namespace
}  // namespace attn::test

// SPDX-License-Identifier: Apache-2.0
//
// Executable graphs.
#include <algorithm>
#include <set>
#include <utility>

#include "cudart/copy.h"
#include "cudart/graph.h"
#include "cudart/kernel.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Memory that a graph allocates and does not free would have to outlive its launches.
void require_memory_freed(const Plan& plan) {
  std::set<const GraphMemory*> open;
  for (const Plan::Step& step : plan.steps) {
    if (const auto* inner = std::get_if<GraphWork>(&step.work)) require_memory_freed(*inner->plan);
    const auto* work = std::get_if<GraphMemoryWork>(&step.work);
    if (work == nullptr) continue;
    if (work->frees) {
      open.erase(work->memory.get());
    } else {
      open.insert(work->memory.get());
    }
  }
  if (!open.empty()) refuse("a graph that allocates memory and does not free it");
}

GraphExec& instantiate(const Graph& graph, unsigned long long flags) {
  if ((flags & cudaGraphInstantiateFlagDeviceLaunch) != 0) refuse("a graph launched from the device");
  auto exec = std::make_unique<GraphExec>();
  exec->plan = plan_of(graph);
  exec->flags = flags;
  require_memory_freed(exec->plan);
  GraphExec* handle = exec.get();
  runtime().graph_execs[handle] = std::move(exec);
  return *handle;
}

void launch(GraphExec& exec, Stream& stream) {
  if (stream.capture != nullptr) {
    issue(stream, GraphWork{std::make_shared<Plan>(exec.plan)});
    return;
  }
  require_no_implicit_wait(stream);
  std::vector<OperationPtr> before = preceding(stream);
  before.push_back(exec.last);
  stream.last = submit_plan(exec.plan, stream.device->ordinal, before, "a graph in " + name_of(stream));
  exec.last = stream.last;
}

Plan::Step& step_of(GraphExec& exec, cudaGraphNode_t node) {
  auto& steps = exec.plan.steps;
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const Plan::Step& step) { return step.node == node; });
  require(found != steps.end());
  return *found;
}

template <class Kind>
void replace(GraphExec& exec, cudaGraphNode_t node, Kind work) {
  Plan::Step& step = step_of(exec, node);
  require(std::holds_alternative<Kind>(step.work));
  step.work = std::move(work);
}

// Steps of two graphs with the same topology correspond in order.
cudaGraphExecUpdateResultInfo update(GraphExec& exec, const Graph& graph) {
  cudaGraphExecUpdateResultInfo info{};
  Plan next = plan_of(graph);
  auto& steps = exec.plan.steps;
  if (next.steps.size() != steps.size()) {
    info.result = cudaGraphExecUpdateErrorTopologyChanged;
    return info;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    info.errorNode = const_cast<Node*>(next.steps[i].node);
    info.result = next.steps[i].after != steps[i].after                   ? cudaGraphExecUpdateErrorTopologyChanged
                  : type_of(next.steps[i].work) != type_of(steps[i].work) ? cudaGraphExecUpdateErrorNodeTypeChanged
                                                                          : cudaGraphExecUpdateSuccess;
    if (info.result != cudaGraphExecUpdateSuccess) return info;
  }
  // The steps keep referring to the nodes of the original graph.
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].work = std::move(next.steps[i].work);
  info.errorNode = nullptr;
  return info;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  return fallible_call([&] {
    require(exec != nullptr);
    *exec = &instantiate(graph_of(graph), flags);
  });
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiate(exec, graph, flags);
}

cudaError_t cudaGraphInstantiateWithParams(cudaGraphExec_t* exec, cudaGraph_t graph,
                                           cudaGraphInstantiateParams* parameters) {
  if (parameters == nullptr) return last_error() = cudaErrorInvalidValue;
  const cudaError_t error = cudaGraphInstantiate(exec, graph, parameters->flags);
  parameters->errNode_out = nullptr;
  parameters->result_out = error == cudaSuccess ? cudaGraphInstantiateSuccess : cudaGraphInstantiateError;
  return error;
}

cudaError_t cudaGraphExecGetFlags(cudaGraphExec_t exec, unsigned long long* flags) {
  return call([&] {
    require(flags != nullptr);
    *flags = exec_of(exec).flags;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream) {
  return fallible_call([&] {
    exec_of(exec);
    issue(stream_of(stream), Nothing{});
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return fallible_call([&] { launch(exec_of(exec), stream_of(stream)); });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return call([&] { runtime().graph_execs.erase(&exec_of(exec)); });
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* parameters) {
  return fallible_call([&] {
    KernelWork& work = kernel_in(step_of(exec_of(exec), node).work);
    work = prepare(parameters, runtime().current());
  });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* parameters) {
  return fallible_call([&] { replace(exec_of(exec), node, checked(copy_of(parameters))); });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to, const void* from,
                                               std::size_t bytes, cudaMemcpyKind kind) {
  return fallible_call([&] { replace(exec_of(exec), node, checked(linear_copy(to, from, bytes, kind))); });
}

cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemsetParams* parameters) {
  return fallible_call([&] { replace(exec_of(exec), node, checked(set_of(parameters))); });
}

cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                           const cudaHostNodeParams* parameters) {
  return fallible_call([&] { replace(exec_of(exec), node, host_of(parameters)); });
}

cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned enabled) {
  return call([&] { step_of(exec_of(exec), node).enabled = enabled != 0; });
}

cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned* enabled) {
  return call([&] {
    require(enabled != nullptr);
    *enabled = step_of(exec_of(exec), node).enabled ? 1 : 0;
  });
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* info) {
  return fallible_call([&] {
    require(info != nullptr);
    *info = update(exec_of(exec), graph_of(graph));
    require(info->result == cudaGraphExecUpdateSuccess, cudaErrorGraphExecUpdateFailure);
  });
}

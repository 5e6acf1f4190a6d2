// SPDX-License-Identifier: Apache-2.0
#include "cudart/graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// Visits the nodes depth first, so that every node follows those that it depends on.
class Planner {
 public:
  explicit Planner(const Graph& graph) {
    for (const auto& node : graph.nodes) visit(*node);
  }
  Plan take() { return std::move(plan_); }

 private:
  std::size_t visit(const Node& node) {
    const auto known = places_.find(&node);
    if (known != places_.end()) {
      require(known->second != kOpen);
      return known->second;
    }
    places_[&node] = kOpen;
    Plan::Step step{&node, node.work, {}};
    for (const Node* other : node.after) step.after.push_back(visit(*other));
    plan_.steps.push_back(std::move(step));
    return places_[&node] = plan_.steps.size() - 1;
  }

  static constexpr std::size_t kOpen = static_cast<std::size_t>(-1);
  std::map<const Node*, std::size_t> places_;
  Plan plan_;
};

// Returns the operation that ends a step, after events and child graphs have been resolved.
struct Submitter {
  int device;
  std::vector<OperationPtr> after;
  const std::string& where;

  OperationPtr marker() { return runtime().engine.submit(device, std::move(after), nullptr); }

  OperationPtr operator()(const RecordWork& record) {
    Event& event = event_of(record.event);
    return event.recorded = marker();
  }
  OperationPtr operator()(const WaitWork& wait) {
    after.push_back(event_of(wait.event).recorded);
    return marker();
  }
  OperationPtr operator()(const GraphWork& graph) { return submit_plan(*graph.plan, device, after, where); }
  template <class Other>
  OperationPtr operator()(const Other& work) {
    return submit(device, std::move(after), work, where);
  }
};

}  // namespace

Graph& graph_of(cudaGraph_t handle) {
  require(handle != nullptr && runtime().graphs.count(handle) != 0);
  return *handle;
}

Node& node_of(cudaGraphNode_t handle) {
  for (const auto& [graph, owner] : runtime().graphs)
    for (const auto& node : graph->nodes)
      if (node.get() == handle) return *handle;
  fail(cudaErrorInvalidValue);
}

GraphExec& exec_of(cudaGraphExec_t handle) {
  require(handle != nullptr && runtime().graph_execs.count(handle) != 0);
  return *handle;
}

Node& add_node(Graph& graph, std::vector<Node*> after, Work work) {
  for (const Node* other : after) require(other != nullptr && other->graph == &graph);
  auto node = std::make_unique<Node>();
  node->graph = &graph;
  node->work = std::move(work);
  node->after = std::move(after);
  graph.nodes.push_back(std::move(node));
  return *graph.nodes.back();
}

void remove_node(Node& node) {
  auto& nodes = node.graph->nodes;
  for (const auto& other : nodes)
    other->after.erase(std::remove(other->after.begin(), other->after.end(), &node), other->after.end());
  nodes.erase(std::find_if(nodes.begin(), nodes.end(), [&](const auto& one) { return one.get() == &node; }));
}

Plan plan_of(const Graph& graph) { return Planner(graph).take(); }

std::unique_ptr<Graph> clone_of(const Graph& graph) {
  auto clone = std::make_unique<Graph>();
  std::map<const Node*, Node*> copies;
  for (const auto& node : graph.nodes) copies[node.get()] = &add_node(*clone, {}, node->work);
  for (const auto& node : graph.nodes)
    for (const Node* other : node->after) copies[node.get()]->after.push_back(copies[other]);
  return clone;
}

cudaGraphNodeType type_of(const Work& work) {
  struct Types {
    cudaGraphNodeType operator()(const Nothing&) const { return cudaGraphNodeTypeEmpty; }
    cudaGraphNodeType operator()(const KernelWork&) const { return cudaGraphNodeTypeKernel; }
    cudaGraphNodeType operator()(const LibraryWork&) const { return cudaGraphNodeTypeKernel; }
    cudaGraphNodeType operator()(const CopyWork&) const { return cudaGraphNodeTypeMemcpy; }
    cudaGraphNodeType operator()(const SetWork&) const { return cudaGraphNodeTypeMemset; }
    cudaGraphNodeType operator()(const HostWork&) const { return cudaGraphNodeTypeHost; }
    cudaGraphNodeType operator()(const AllocateWork&) const { return cudaGraphNodeTypeMemAlloc; }
    cudaGraphNodeType operator()(const FreeWork&) const { return cudaGraphNodeTypeMemFree; }
    cudaGraphNodeType operator()(const GraphMemoryWork& memory) const {
      return memory.frees ? cudaGraphNodeTypeMemFree : cudaGraphNodeTypeMemAlloc;
    }
    cudaGraphNodeType operator()(const RecordWork&) const { return cudaGraphNodeTypeEventRecord; }
    cudaGraphNodeType operator()(const WaitWork&) const { return cudaGraphNodeTypeWaitEvent; }
    cudaGraphNodeType operator()(const GraphWork&) const { return cudaGraphNodeTypeGraph; }
  };
  return std::visit(Types{}, work);
}

KernelWork& kernel_in(Work& work) {
  const auto* library = std::get_if<LibraryWork>(&work);
  if (library != nullptr) refuse("asking for or changing the parameters of kernel " + library->name + " of a library");
  auto* kernel = std::get_if<KernelWork>(&work);
  require(kernel != nullptr);
  return *kernel;
}

HostWork host_of(const cudaHostNodeParams* parameters) {
  require(parameters != nullptr && parameters->fn != nullptr);
  return {parameters->fn, parameters->userData};
}

OperationPtr submit_plan(const Plan& plan, int device, const std::vector<OperationPtr>& before,
                         const std::string& where) {
  std::vector<OperationPtr> ends;
  for (const Plan::Step& step : plan.steps) {
    Submitter submitter{device, before, where};
    for (const std::size_t other : step.after) submitter.after.push_back(ends[other]);
    ends.push_back(step.enabled ? std::visit(submitter, step.work) : submitter.marker());
  }
  ends.insert(ends.end(), before.begin(), before.end());
  return runtime().engine.submit(device, std::move(ends), nullptr);
}

}  // namespace vgpu::cudart

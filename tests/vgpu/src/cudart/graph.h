// SPDX-License-Identifier: Apache-2.0
//
// Graphs: nodes with work and dependencies, and the plan of an executable graph.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cudart/cuda_api.h"
#include "cudart/stream.h"
#include "cudart/work.h"

struct CUgraphNode_st {
  CUgraph_st* graph = nullptr;
  vgpu::cudart::Work work;
  std::vector<CUgraphNode_st*> after;
  std::vector<void*> arguments;  // the kernel's arguments, as last returned by cudaGraphKernelNodeGetParams
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;  // in the order of creation
};

namespace vgpu::cudart {

using Node = CUgraphNode_st;
using Graph = CUgraph_st;

// The work of a graph in topological order.
struct Plan {
  struct Step {
    const Node* node;  // the node this was made from; only compared, since the graph may be destroyed
    Work work;
    std::vector<std::size_t> after;  // indices of earlier steps
    bool enabled = true;
  };
  std::vector<Step> steps;
};

}  // namespace vgpu::cudart

struct CUgraphExec_st {
  vgpu::cudart::Plan plan;
  unsigned long long flags = 0;
  // The end of the previous launch, since launches of one executable graph never overlap.
  vgpu::cudart::OperationPtr last;
};

namespace vgpu::cudart {

using GraphExec = CUgraphExec_st;

Graph& graph_of(cudaGraph_t handle);
Node& node_of(cudaGraphNode_t handle);
GraphExec& exec_of(cudaGraphExec_t handle);

Node& add_node(Graph& graph, std::vector<Node*> after, Work work);
void remove_node(Node& node);
// Fails with cudaErrorInvalidValue if the dependencies form a cycle.
Plan plan_of(const Graph& graph);
std::unique_ptr<Graph> clone_of(const Graph& graph);
cudaGraphNodeType type_of(const Work& work);
// Returns the kernel of a node whose parameters are read or set. Refuses nodes with work of a library.
KernelWork& kernel_in(Work& work);
HostWork host_of(const cudaHostNodeParams* parameters);

// Submits the plan's work after `before` and returns the operations that come after all of it. `where` is used in
// messages.
OperationPtr submit_plan(const Plan& plan, int device, const std::vector<OperationPtr>& before,
                         const std::string& where);

}  // namespace vgpu::cudart

// SPDX-License-Identifier: Apache-2.0
//
// Graphs that are built node by node.
#include <utility>

#include "cudart/copy.h"
#include "cudart/graph.h"
#include "cudart/kernel.h"
#include "cudart/runtime.h"
#include "cudart/symbol.h"

namespace vgpu::cudart {
namespace {

// The common part of all cudaGraphAdd...Node functions.
template <class MakeWork>
cudaError_t add(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after, std::size_t count,
                const MakeWork& make_work) {
  return fallible_call([&] {
    require(node != nullptr && (count == 0 || after != nullptr));
    *node = &add_node(graph_of(graph), {after, after + count}, make_work());
  });
}

template <class Kind>
Kind& work_in(cudaGraphNode_t node) {
  Kind* work = std::get_if<Kind>(&node_of(node).work);
  require(work != nullptr);
  return *work;
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaGraphCreate(cudaGraph_t* handle, unsigned flags) {
  return fallible_call([&] {
    require(handle != nullptr && flags == 0);
    *handle = &runtime().keep(std::make_unique<Graph>());
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call([&] { runtime().graphs.erase(&graph_of(graph)); });
}

cudaError_t cudaGraphClone(cudaGraph_t* handle, cudaGraph_t original) {
  return fallible_call([&] {
    require(handle != nullptr);
    *handle = &runtime().keep(clone_of(graph_of(original)));
  });
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaKernelNodeParams* parameters) {
  return add(node, graph, after, count, [&] { return prepare(parameters, runtime().current()); });
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* parameters) {
  return fallible_call([&] {
    KernelWork& work = kernel_in(node_of(node).work);
    work = prepare(parameters, runtime().current());
  });
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t handle, cudaKernelNodeParams* parameters) {
  return call([&] {
    require(parameters != nullptr);
    Node& node = node_of(handle);
    KernelWork& work = kernel_in(node.work);
    node.arguments.clear();
    for (const std::size_t offset : work.module->info(work.name).parameter_offsets)
      node.arguments.push_back(work.parameters.data() + offset);
    *parameters = {};
    parameters->func = const_cast<CUkern_st*>(work.kernel);
    parameters->gridDim = dim3(work.grid.x, work.grid.y, work.grid.z);
    parameters->blockDim = dim3(work.block.x, work.block.y, work.block.z);
    parameters->sharedMemBytes = static_cast<unsigned>(work.dynamic_shared);
    parameters->kernelParams = node.arguments.data();
  });
}

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaMemcpy3DParms* parameters) {
  return add(node, graph, after, count, [&] { return checked(copy_of(parameters)); });
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     std::size_t count, void* to, const void* from, std::size_t bytes,
                                     cudaMemcpyKind kind) {
  return add(node, graph, after, count, [&] { return checked(linear_copy(to, from, bytes, kind)); });
}

cudaError_t cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                           std::size_t count, const void* symbol, const void* from, std::size_t bytes,
                                           std::size_t offset, cudaMemcpyKind kind) {
  return add(node, graph, after, count, [&] { return checked(copy_to_symbol(symbol, from, bytes, offset, kind)); });
}

cudaError_t cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                             std::size_t count, void* to, const void* symbol, std::size_t bytes,
                                             std::size_t offset, cudaMemcpyKind kind) {
  return add(node, graph, after, count, [&] { return checked(copy_from_symbol(to, symbol, bytes, offset, kind)); });
}

cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* parameters) {
  return fallible_call([&] { work_in<CopyWork>(node) = checked(copy_of(parameters)); });
}

cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from, std::size_t bytes,
                                           cudaMemcpyKind kind) {
  return fallible_call([&] { work_in<CopyWork>(node) = checked(linear_copy(to, from, bytes, kind)); });
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaMemsetParams* parameters) {
  return add(node, graph, after, count, [&] { return checked(set_of(parameters)); });
}

cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* parameters) {
  return fallible_call([&] { work_in<SetWork>(node) = checked(set_of(parameters)); });
}

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                 std::size_t count, const cudaHostNodeParams* parameters) {
  return add(node, graph, after, count, [&] { return host_of(parameters); });
}

cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* parameters) {
  return fallible_call([&] { work_in<HostWork>(node) = host_of(parameters); });
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                  std::size_t count) {
  return add(node, graph, after, count, [] { return Nothing{}; });
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                        std::size_t count, cudaEvent_t event) {
  return add(node, graph, after, count, [&] { return RecordWork{&event_of(event)}; });
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                      std::size_t count, cudaEvent_t event) {
  return add(node, graph, after, count, [&] { return WaitWork{&event_of(event)}; });
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                       std::size_t count, cudaGraph_t child) {
  return add(node, graph, after, count, [&] { return GraphWork{std::make_shared<Plan>(plan_of(graph_of(child)))}; });
}

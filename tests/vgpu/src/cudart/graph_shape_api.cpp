// SPDX-License-Identifier: Apache-2.0
//
// The nodes and edges of graphs.
#include <algorithm>

#include "cudart/graph.h"
#include "cudart/runtime.h"

namespace vgpu::cudart {
namespace {

// CUDA's convention for lists: without an array, only the length is returned; an array that is too long is filled up
// with nulls.
void return_list(const std::vector<Node*>& list, cudaGraphNode_t* place, std::size_t* length) {
  require(length != nullptr);
  if (place != nullptr) {
    const std::size_t shown = std::min(*length, list.size());
    std::copy_n(list.begin(), shown, place);
    std::fill(place + shown, place + *length, nullptr);
  }
  *length = place == nullptr ? list.size() : std::min(*length, list.size());
}

template <class Condition>
std::vector<Node*> nodes_where(const Graph& graph, const Condition& condition) {
  std::vector<Node*> list;
  for (const auto& node : graph.nodes)
    if (condition(*node)) list.push_back(node.get());
  return list;
}

void require_plain(const cudaGraphEdgeData* edges) {
  if (edges != nullptr) refuse("a graph edge with ports");
}

bool depends(const Node& node, const Node* on) {
  return std::find(node.after.begin(), node.after.end(), on) != node.after.end();
}

template <class Change>
cudaError_t change_edges(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                         const cudaGraphEdgeData* edges, std::size_t count, const Change& change) {
  return call([&] {
    graph_of(graph);
    require(count == 0 || (from != nullptr && to != nullptr));
    require_plain(edges);
    for (std::size_t i = 0; i < count; ++i) {
      require(node_of(from[i]).graph == graph && node_of(to[i]).graph == graph);
      change(*to[i], from[i]);
    }
  });
}

}  // namespace
}  // namespace vgpu::cudart

using namespace vgpu::cudart;

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return call([&] { return_list(nodes_where(graph_of(graph), [](const Node&) { return true; }), nodes, count); });
}

cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return call([&] {
    return_list(nodes_where(graph_of(graph), [](const Node& node) { return node.after.empty(); }), nodes, count);
  });
}

cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to, cudaGraphEdgeData* edges,
                              std::size_t* count) {
  return call([&] {
    require(count != nullptr && (from == nullptr) == (to == nullptr) && (edges == nullptr || from != nullptr));
    std::vector<Node*> starts, ends;
    for (const auto& node : graph_of(graph).nodes)
      for (Node* other : node->after) {
        starts.push_back(other);
        ends.push_back(node.get());
      }
    std::size_t length = *count;
    return_list(starts, from, &length);
    return_list(ends, to, count);
    if (edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  });
}

cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* nodes, cudaGraphEdgeData* edges,
                                         std::size_t* count) {
  return call([&] {
    return_list(node_of(node).after, nodes, count);
    if (edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  });
}

cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* nodes, cudaGraphEdgeData* edges,
                                           std::size_t* count) {
  return call([&] {
    const Graph& graph = *node_of(node).graph;
    return_list(nodes_where(graph, [&](const Node& other) { return depends(other, node); }), nodes, count);
    if (edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  return call([&] {
    require(type != nullptr);
    *type = type_of(node_of(node).work);
  });
}

cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                     const cudaGraphEdgeData* edges, std::size_t count) {
  return change_edges(graph, from, to, edges, count, [](Node& node, Node* on) {
    require(!depends(node, on) && &node != on);
    node.after.push_back(on);
  });
}

cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to,
                                        const cudaGraphEdgeData* edges, std::size_t count) {
  return change_edges(graph, from, to, edges, count, [](Node& node, Node* on) {
    require(depends(node, on));
    node.after.erase(std::find(node.after.begin(), node.after.end(), on));
  });
}

cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  return call([&] { remove_node(node_of(node)); });
}
